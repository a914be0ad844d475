using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Post.Quic.MsQuic;
using Post.Quic.MsQuic.Native;
using Post.Quic.SystemNetQuic;

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
    public void On_Windows_the_library_is_the_one_beside_System_Net_Quic()
    {
        string directory = Path.Combine(Path.GetTempPath(), "shared");

        Assert.AreEqual(Path.Combine(directory, "msquic.dll"), MsQuicLibrary.PathBeside(Path.Combine(directory, "System.Net.Quic.dll")));
        Assert.AreEqual(Path.Combine(AppContext.BaseDirectory, "msquic.dll"), MsQuicLibrary.PathBeside(string.Empty));
    }

    [TestMethod]
    [DataRow(1, true, true, DisplayName = "OpenSSL on Windows")]
    [DataRow(1, false, true, DisplayName = "OpenSSL on Linux and macOS")]
    [DataRow(0, true, false, DisplayName = "Schannel")]
    [DataRow(null, true, false, DisplayName = "not told on Windows, where it is Schannel but for builds of one's own")]
    [DataRow(null, false, true, DisplayName = "not told elsewhere")]
    public void Sessions_are_resumed_where_msquic_uses_OpenSSL(int? provider, bool isWindows, bool resumes) =>
        Assert.AreEqual(resumes, MsQuicExtras.HasResumption(provider, isWindows));

    [TestMethod]
    [DataRow(NativeNumbers.Connected, "CONNECTED")]
    [DataRow(NativeNumbers.ShutdownComplete, "SHUTDOWN_COMPLETE")]
    [DataRow(NativeNumbers.PeerAddressChanged, "PEER_ADDRESS_CHANGED")]
    [DataRow(NativeNumbers.DatagramStateChanged, "DATAGRAM_STATE_CHANGED")]
    [DataRow(NativeNumbers.DatagramReceived, "DATAGRAM_RECEIVED")]
    [DataRow(NativeNumbers.DatagramSendStateChanged, "DATAGRAM_SEND_STATE_CHANGED")]
    [DataRow(NativeNumbers.ResumptionTicketReceived, "RESUMPTION_TICKET_RECEIVED")]
    public void An_event_has_the_number_that_System_Net_Quic_knows(int number, string name) =>
        Assert.AreEqual(number, NumberOf("QUIC_CONNECTION_EVENT_TYPE", name));

    [TestMethod]
    [DataRow(NativeNumbers.DatagramSent, "SENT")]
    [DataRow(NativeNumbers.DatagramLostSuspect, "LOST_SUSPECT")]
    [DataRow(NativeNumbers.DatagramLostDiscarded, "LOST_DISCARDED")]
    [DataRow(NativeNumbers.DatagramAcknowledged, "ACKNOWLEDGED")]
    [DataRow(NativeNumbers.DatagramAcknowledgedSpurious, "ACKNOWLEDGED_SPURIOUS")]
    [DataRow(NativeNumbers.DatagramCanceled, "CANCELED")]
    public void A_state_of_a_datagram_has_the_number_that_System_Net_Quic_knows(int number, string name) =>
        Assert.AreEqual(number, NumberOf("QUIC_DATAGRAM_SEND_STATE", name));

    [TestMethod]
    public void Other_numbers_are_those_that_System_Net_Quic_knows()
    {
        Assert.AreEqual(NativeNumbers.ReceivedAsEarlyData, NumberOf("QUIC_RECEIVE_FLAGS", "ZERO_RTT"));
        Assert.AreEqual(NativeNumbers.TlsByOpenSsl, NumberOf("QUIC_TLS_PROVIDER", "OPENSSL"));
    }

    [TestMethod]
    [DataRow(0, "_CONNECTED_e__Struct", "SessionResumed")]
    [DataRow(0, "_DATAGRAM_STATE_CHANGED_e__Struct", "SendEnabled")]
    [DataRow(NativeEvent.MaxSendLengthOffset, "_DATAGRAM_STATE_CHANGED_e__Struct", "MaxSendLength")]
    [DataRow(0, "_DATAGRAM_RECEIVED_e__Struct", "Buffer")]
    [DataRow(NativeEvent.ReceiveFlagsOffset, "_DATAGRAM_RECEIVED_e__Struct", "Flags")]
    [DataRow(0, "_DATAGRAM_SEND_STATE_CHANGED_e__Struct", "ClientContext")]
    [DataRow(NativeEvent.SendStateOffset, "_DATAGRAM_SEND_STATE_CHANGED_e__Struct", "State")]
    [DataRow(0, "_RESUMPTION_TICKET_RECEIVED_e__Struct", "ResumptionTicketLength")]
    [DataRow(NativeEvent.TicketOffset, "_RESUMPTION_TICKET_RECEIVED_e__Struct", "ResumptionTicket")]
    public void The_data_of_an_event_stand_where_System_Net_Quic_has_them(int offset, string data, string field)
    {
        Type nativeEvent = Known("QUIC_CONNECTION_EVENT");
        Assert.AreEqual(0, OffsetOf(nativeEvent, "Type"));
        Assert.AreEqual(NativeEvent.DataOffset, OffsetOf(nativeEvent, "Anonymous"));
        Assert.AreEqual(offset, OffsetOf(nativeEvent.GetNestedType("_Anonymous_e__Union", Hidden)!.GetNestedType(data, Hidden)!, field));
    }

    [TestMethod]
    public void The_function_table_has_its_entries_where_System_Net_Quic_has_them()
    {
        string[] entries = [.. Known("QUIC_API_TABLE").GetFields(Hidden).OrderBy(field => field.MetadataToken).Select(field => field.Name)];

        Assert.AreEqual("GetContext", entries[MsQuicTable.GetContextEntry]);
        Assert.AreEqual("SetCallbackHandler", entries[MsQuicTable.SetCallbackHandlerEntry]);
        Assert.AreEqual("SetParam", entries[MsQuicTable.SetParamEntry]);
        Assert.AreEqual("GetParam", entries[MsQuicTable.GetParamEntry]);
        Assert.AreEqual("ConnectionSendResumptionTicket", entries[MsQuicTable.SendResumptionTicketEntry]);
        Assert.AreEqual("DatagramSend", entries[MsQuicTable.DatagramSendEntry]);
    }

    [TestMethod]
    public void The_settings_and_buffers_have_the_layout_that_System_Net_Quic_knows()
    {
        Type settings = Known("QUIC_SETTINGS");
        Assert.AreEqual(NativeNumbers.SettingsSize, Marshal.SizeOf(settings));
        Assert.AreEqual(NativeNumbers.ServerResumptionLevelOffset, OffsetOf(settings, "_bitfield"));
        Assert.AreEqual((int)Marshal.OffsetOf<NativeBuffer>(nameof(NativeBuffer.Bytes)), OffsetOf(Known("QUIC_BUFFER"), "Buffer"));
    }

    [TestMethod]
    public void The_statistics_have_the_size_of_msquics()
    {
        // Up to SendCongestionWindow of QUIC_STATISTICS_V2, 8-aligned as all of it.
        Assert.AreEqual(0, Unsafe.SizeOf<NativeStatistics>() % 8);
        Assert.AreEqual(16, Unsafe.SizeOf<NativeBuffer>());
    }

    private const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static Type Known(string name) =>
        typeof(System.Net.Quic.QuicConnection).Assembly.GetType("Microsoft.Quic." + name, throwOnError: true)!;

    private static int NumberOf(string type, string name) => Convert.ToInt32(Known(type).GetField(name, Hidden)!.GetRawConstantValue());

    private static int OffsetOf(Type type, string field) => (int)Marshal.OffsetOf(type, field);
}
