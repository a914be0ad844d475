using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using Post.Quic.SystemNetQuic;
using Post.Quic.SystemNetQuic.Extras;

namespace Post.Quic.Tests.Transports;

/// <summary>What msquic's interface looks like on each platform, as far as that can be seen without msquic.</summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class NativeFormsTests
{
    [TestMethod]
    [DataRow(false, 0, true, DisplayName = "success")]
    [DataRow(false, -2, true, DisplayName = "pending on Linux and macOS")]
    [DataRow(false, -1, true, DisplayName = "continue on Linux and macOS")]
    [DataRow(false, 22, false, DisplayName = "EINVAL: an invalid parameter on Linux and macOS")]
    [DataRow(false, 0xBEBC300 + 42, false, DisplayName = "a TLS alert on Linux and macOS")]
    [DataRow(true, 0, true, DisplayName = "success on Windows")]
    [DataRow(true, 0x703E5, true, DisplayName = "pending on Windows")]
    [DataRow(true, unchecked((int)0x80070057), false, DisplayName = "E_INVALIDARG on Windows")]
    [DataRow(true, unchecked((int)0x80410000), false, DisplayName = "QUIC's own facility on Windows")]
    public void A_status_is_read_as_its_platform_means_it(bool isWindows, int status, bool succeeded) =>
        Assert.AreEqual(succeeded, NativeNumbers.Succeeded(status, isWindows));

    [TestMethod]
    public void The_library_is_asked_for_as_System_Net_Quic_asks()
    {
        CollectionAssert.AreEqual((string[])["libmsquic.so.2", "libmsquic.so"], MsQuicLibrary.NamesOn(false, false).ToArray());
        CollectionAssert.AreEqual((string[])["libmsquic.dylib.2", "libmsquic.dylib"], MsQuicLibrary.NamesOn(false, true).ToArray());
        CollectionAssert.AreEqual((string[])["msquic.dll"], MsQuicLibrary.NamesOn(true, false).ToArray());
    }

    [TestMethod]
    public void The_named_library_is_given_to_System_Net_Quic_only()
    {
        Assert.AreEqual(0, MsQuicLibrary.Resolve(typeof(NativeFormsTests).Assembly, MsQuicLibrary.Names[0]));
        Assert.AreEqual(0, MsQuicLibrary.Resolve(typeof(System.Net.Quic.QuicConnection).Assembly, "libssl.so.3"));
    }

    [TestMethod]
    [DataRow("127.0.0.1:1")]
    [DataRow("192.0.2.7:65535")]
    [DataRow("0.0.0.0:0")]
    [DataRow("[::1]:4433")]
    [DataRow("[2001:db8::7]:443")]
    [DataRow("[::ffff:192.0.2.7]:443")]
    [DataRow("[fe80::1%3]:443")]
    public void An_address_survives_the_platforms_own_form(string text)
    {
        var endPoint = IPEndPoint.Parse(text);

        byte[] native = NativeAddress.Of(endPoint);

        // sockaddr_in6 on Linux and macOS, SOCKADDR_INET on Windows: the same size, with the port at the same place.
        Assert.HasCount(NativeAddress.Size, native);
        Assert.AreEqual(endPoint.Port, (native[2] << 8) | native[3]);
        Assert.AreEqual(endPoint, NativeAddress.Read(native));
    }

    [TestMethod]
    public void Bytes_that_are_no_address_are_none()
    {
        byte[] native = new byte[NativeAddress.Size];
        Assert.IsNull(NativeAddress.Read(native));
        for (int family = 0; family < 256; family++)
        {
            // The family's byte is the first, or on macOS the second, after the length.
            native[0] = native[1] = (byte)family;
            IPEndPoint? read = NativeAddress.Read(native);
            Assert.IsTrue(read is null or { AddressFamily: AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 });
        }
    }

    [TestMethod]
    public void The_statistics_have_the_size_of_msquics()
    {
        // Up to SendCongestionWindow of QUIC_STATISTICS_V2, 8-aligned as all of it.
        Assert.AreEqual(0, Unsafe.SizeOf<NativeStatistics>() % 8);
        Assert.AreEqual(16, Unsafe.SizeOf<NativeBuffer>());
    }
}
