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
            () => new SystemNetQuicTransport(new SystemNetQuicOptions { MsQuicLibraryPath = "/nowhere/libmsquic.so.2" }));

        Assert.Contains("/nowhere/libmsquic.so.2", refused.Message);
    }
}
