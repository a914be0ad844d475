using System.Runtime.Versioning;
using Post.Quic.SystemNetQuic;

namespace Post.Quic.Tests.Transports;

[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class MsQuicLibraryTests
{
    [TestMethod]
    public void A_library_that_cannot_be_loaded_is_named()
    {
        var refused = Assert.ThrowsExactly<PlatformNotSupportedException>(
            () => new SystemNetQuicTransport(new SystemNetQuicTransportOptions { MsQuicLibraryPath = "/nowhere/libmsquic.so.2" }));

        Assert.Contains("/nowhere/libmsquic.so.2", refused.Message);
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux)]
    public void A_library_that_is_no_msquic_is_named_and_leaves_System_Net_Quic_alone()
    {
        bool before = System.Net.Quic.QuicConnection.IsSupported;

        Assert.IsFalse(MsQuicLibrary.IsAvailable("libc.so.6", out string? remedy));

        Assert.Contains("libc.so.6", remedy);
        Assert.Contains("MsQuicOpenVersion", remedy);
        Assert.AreEqual(before, System.Net.Quic.QuicConnection.IsSupported);
        Assert.AreEqual(before, MsQuicLibrary.IsAvailable(null, out _));
    }

    [TestMethod]
    public void Where_it_does_not_work_the_reason_is_the_platforms_own_and_the_remedy_is_for_this_platform()
    {
        if (MsQuicLibrary.IsAvailable(null, out string? remedy))
        {
            Assert.Inconclusive("System.Net.Quic works here.");
        }

        PlatformNotSupportedException platforms = Assert.ThrowsExactly<PlatformNotSupportedException>(
            () => System.Net.Quic.QuicConnection.ConnectAsync(new System.Net.Quic.QuicClientConnectionOptions()).AsTask());
        Assert.Contains(platforms.Message.TrimEnd('.'), remedy);
        Assert.Contains(OperatingSystem.IsLinux() ? "package libmsquic" : OperatingSystem.IsMacOS() ? "brew" : "Windows 11", remedy);
        Assert.Contains("Engine = Managed", remedy);
    }
}
