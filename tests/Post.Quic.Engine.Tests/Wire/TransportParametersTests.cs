using CsCheck;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Parameters;
using Post.Quic.Testing;

namespace Post.Quic.Engine.Tests.Wire;

[TestClass]
public sealed class TransportParametersTests
{
    /// <summary>The least a client says: the id of its packets. Refusals below put one parameter behind it.</summary>
    private const string ClientStart = "0f0401020304";

    private const string ServerStart = ClientStart + "000109";

    [TestMethod]
    public void What_either_role_writes_reads_back_with_one_reserved_parameter_more() =>
        Gen.ULong.SampleSeeded(seed =>
            ReadsBack(TransportParameterSamples.Client, fromServer: false, seed)
            && ReadsBack(TransportParameterSamples.Server, fromServer: true, seed));

    [TestMethod]
    public void What_is_absent_has_the_value_that_the_RFC_gives_it()
    {
        TransportParameters parameters = Parse(ClientStart, fromServer: false);

        Assert.AreEqual(new TransportParameters { InitialSourceConnectionId = new ConnectionId([1, 2, 3, 4]) }, parameters);
        Assert.AreEqual(65527UL, parameters.MaxUdpPayloadSize);
        Assert.AreEqual(3, parameters.AckDelayExponent);
        Assert.AreEqual(25UL, parameters.MaxAckDelay);
        Assert.AreEqual(2UL, parameters.ActiveConnectionIdLimit);
        Assert.IsNull(parameters.MinAckDelay);
    }

    [TestMethod]
    [DataRow("0302 44af", "max_udp_payload_size 1199")]
    [DataRow("0802 4000 00", "initial_max_streams_bidi with a byte behind it")]
    [DataRow("0808 d000000000000001", "initial_max_streams_bidi above 2^60")]
    [DataRow("0908 d000000000000001", "initial_max_streams_uni above 2^60")]
    [DataRow("0a01 15", "ack_delay_exponent 21")]
    [DataRow("0b04 80004000", "max_ack_delay 2^14")]
    [DataRow("0c01 00", "disable_active_migration with a value")]
    [DataRow("0e01 01", "active_connection_id_limit 1")]
    [DataRow("0400", "integer of no bytes")]
    [DataRow("0401 40", "integer cut")]
    [DataRow("0402 0000", "integer with a byte behind it")]
    [DataRow("0405 01", "value beyond the extension")]
    [DataRow("04", "id without a length")]
    [DataRow("40", "id cut")]
    [DataRow("040100 040100", "duplicate")]
    [DataRow("1b00 1b00", "duplicate of an unknown one")]
    [DataRow("0f0401020304", "duplicate initial_source_connection_id")]
    [DataRow("1115 0000000100000001000000010000000100000001 00", "version_information not of whole versions")]
    [DataRow("1100", "version_information empty")]
    [DataRow("1108 00000000 00000001", "chosen version 0")]
    [DataRow("110c 00000001 00000001 00000000", "available version 0")]
    [DataRow("1108 00000001 6b3343cf", "client's choice not available")]
    [DataRow("1104 00000001", "client with nothing available")]
    [DataRow("6ab201 00", "grease_quic_bit with a value")]
    [DataRow("1d01 00", "reset_stream_at with a value")]
    [DataRow("c017f7586d2cb57101 00", "reset_stream_at of the drafts with a value")]
    [DataRow("c0000000ff04de1b04 81000000", "min_ack_delay 2^24")]
    [DataRow("c0000000ff04de1b04 800061a9", "min_ack_delay above max_ack_delay")]
    [DataRow("3e08 c000000100000000", "initial_max_path_id 2^32")]
    [DataRow("3e02 0100", "initial_max_path_id and a byte behind it")]
    [DataRow("3e00", "initial_max_path_id without a value")]
    [DataRow("3e01 02 3e01 02", "initial_max_path_id twice")]
    public void A_parameter_that_is_wrong_is_a_transport_parameter_error(string hex, string what) =>
        Refused(ClientStart + hex, fromServer: false, what);

    [TestMethod]
    [DataRow("0302 44b0")]
    [DataRow("0808 d000000000000000")]
    [DataRow("0a01 14")]
    [DataRow("0b02 7fff")]
    [DataRow("0e01 02")]
    [DataRow("0404 80000001")]
    [DataRow("1108 00000001 00000001")]
    [DataRow("c0000000ff04de1b04 800061a8")]
    [DataRow("1b00 3a00")]
    [DataRow("3e08 c0000000ffffffff")]
    [DataRow("3e01 00")]
    public void A_parameter_at_the_edge_of_what_is_allowed_is_taken(string hex) =>
        Assert.IsNotNull(Parse(ClientStart + hex, fromServer: false));

    [TestMethod]
    [DataRow("0001 09", "original_destination_connection_id")]
    [DataRow("0210 00112233445566778899aabbccddeeff", "stateless_reset_token")]
    [DataRow("0d2a c0000201 01bb 00000000000000000000000000000000 0000 01 aa 00112233445566778899aabbccddeeff", "preferred_address")]
    [DataRow("1001 07", "retry_source_connection_id")]
    public void What_only_a_server_may_say_is_refused_from_a_client_and_taken_from_a_server(string hex, string what)
    {
        Refused(ClientStart + hex, fromServer: false, what);

        // The server's start already holds the first of them.
        string start = hex.StartsWith("00", StringComparison.Ordinal) ? ClientStart : ServerStart;
        Assert.IsNotNull(Parse(start + hex, fromServer: true));
    }

    [TestMethod]
    [DataRow("0f15 000102030405060708090a0b0c0d0e0f1011121314 000109", "source id of 21 bytes")]
    [DataRow("0015 000102030405060708090a0b0c0d0e0f1011121314 0f0109", "original id of 21 bytes")]
    [DataRow("000109", "no initial_source_connection_id")]
    [DataRow("0f0109", "no original_destination_connection_id")]
    [DataRow(ServerStart + "020f 00112233445566778899aabbccddee", "reset token of 15 bytes")]
    [DataRow(ServerStart + "0d29 c0000201 01bb 00000000000000000000000000000000 0000 00 00112233445566778899aabbccddeeff", "preferred_address without an id")]
    [DataRow(ServerStart + "0d2b c0000201 01bb 00000000000000000000000000000000 0000 01 aa 00112233445566778899aabbccddeeff 00", "preferred_address with a byte behind it")]
    [DataRow("0f00 000109 0d2a c0000201 01bb 00000000000000000000000000000000 0000 01 aa 00112233445566778899aabbccddeeff", "preferred_address of a server without ids")]
    public void A_server_that_says_it_wrong_is_refused(string hex, string what) => Refused(hex, fromServer: true, what);

    [TestMethod]
    public void An_address_family_that_is_all_zeros_is_not_offered()
    {
        TransportParameters parameters = Parse(
            ServerStart + "0d2a c0000201 01bb 00000000000000000000000000000000 0000 01 aa 00112233445566778899aabbccddeeff",
            fromServer: true);

        Assert.AreEqual("192.0.2.1:443", parameters.PreferredAddress!.IPv4.ToString());
        Assert.IsTrue(parameters.PreferredAddress.IPv6.IsNone);
    }

    [TestMethod]
    public void Several_paths_without_bytes_in_the_connection_id_are_a_protocol_violation()
    {
        TransportError error = TransportParametersReader.TryParse(Bytes("0f00 3e0102"), fromServer: false, out _);

        Assert.AreEqual(TransportErrorCode.ProtocolViolation, error.Code);
        Assert.AreEqual(2u, Parse("0f0109 3e0102", fromServer: false).InitialMaxPathId);
    }

    [TestMethod]
    public void No_largest_path_id_is_something_else_than_path_0_only()
    {
        Assert.IsNull(Parse(ClientStart, fromServer: false).InitialMaxPathId);
        Assert.AreEqual(0u, Parse(ClientStart + "3e0100", fromServer: false).InitialMaxPathId);
    }

    [TestMethod]
    public void Many_unknown_parameters_are_passed_over()
    {
        var writer = new WireWriter(new byte[60_000]);
        writer.WriteBytes(Convert.FromHexString(ClientStart));
        for (ulong n = 0; n < 5_000; n++)
        {
            writer.WriteVarInt(TransportParameterId.Reserved(n + 1000));
            writer.WriteVarBytes([1, 2]);
        }

        TransportError error = TransportParametersReader.TryParse(writer.Written, fromServer: false, out var parameters);

        Assert.IsFalse(error.IsError, error.ToString());
        Assert.AreEqual(5_000, parameters!.UnknownCount);
    }

    [TestMethod]
    public void Every_cut_of_the_extension_is_refused_or_ends_between_two_parameters()
    {
        byte[] bytes = TransportParameterSamples.Encode(TransportParameterSamples.Server);
        int whole = 0;
        for (int length = 0; length < bytes.Length; length++)
        {
            TransportError error = TransportParametersReader.TryParse(bytes.AsSpan(0, length), fromServer: true, out var parameters);
            Assert.AreEqual(error.IsError, parameters is null);
            whole += error.IsError ? 0 : 1;
            Assert.IsTrue(!error.IsError || error.Code == TransportErrorCode.TransportParameterError);
        }

        Assert.IsTrue(whole < 10, $"{whole} cuts passed, more than there are optional parameters at the end");
    }

    [TestMethod]
    public void Connection_ids_that_are_not_those_of_the_packets_are_refused()
    {
        TransportParameters server = TransportParameterSamples.Server;
        ConnectionId source = server.InitialSourceConnectionId!.Value;
        ConnectionId original = server.OriginalDestinationConnectionId!.Value;
        ConnectionId retry = server.RetrySourceConnectionId!.Value;
        ConnectionId other = new([42]);

        Assert.IsFalse(server.CheckConnectionIds(source, original, retry).IsError);
        Assert.IsTrue(server.CheckConnectionIds(other, original, retry).IsError);
        Assert.IsTrue(server.CheckConnectionIds(source, other, retry).IsError);
        Assert.IsTrue(server.CheckConnectionIds(source, original, other).IsError);
        Assert.IsTrue(server.CheckConnectionIds(source, original, null).IsError, "retry id without a Retry");
        Assert.IsTrue((server with { RetrySourceConnectionId = null }).CheckConnectionIds(source, original, retry).IsError);
        Assert.IsFalse(TransportParameterSamples.Client.CheckConnectionIds(source, null, null).IsError);
    }

    [TestMethod]
    public void No_limit_that_is_remembered_for_early_data_may_shrink()
    {
        TransportParameters server = TransportParameterSamples.Server;
        var remembered = new RememberedParameters(server);
        Assert.AreEqual(remembered, new RememberedParameters(remembered.ToTransportParameters()));
        Assert.IsNull(remembered.ToTransportParameters().InitialMaxPathId, "paths are negotiated anew by every connection");
        TransportParameters[] smaller =
        [
            server with { ActiveConnectionIdLimit = 7 },
            server with { InitialMaxData = server.InitialMaxData - 1 },
            server with { InitialMaxStreamDataBidirectionalLocal = server.InitialMaxStreamDataBidirectionalLocal - 1 },
            server with { InitialMaxStreamDataBidirectionalRemote = server.InitialMaxStreamDataBidirectionalRemote - 1 },
            server with { InitialMaxStreamDataUnidirectional = server.InitialMaxStreamDataUnidirectional - 1 },
            server with { InitialMaxStreamsBidirectional = 99 },
            server with { InitialMaxStreamsUnidirectional = 99 },
            server with { MaxDatagramFrameSize = 1200 },
            server with { ResetStreamAt = false },
        ];
        foreach (TransportParameters parameters in smaller)
        {
            Assert.IsFalse(remembered.AreHonouredBy(parameters));
            Assert.AreEqual(TransportErrorCode.ProtocolViolation, remembered.CheckAccepted(parameters).Code);
        }

        Assert.IsFalse(remembered.CheckAccepted(server).IsError);
        Assert.IsTrue(remembered.AreHonouredBy(server with { MaxIdleTimeout = 1, InitialMaxData = 1UL << 40 }));
    }

    private static bool ReadsBack(TransportParameters parameters, bool fromServer, ulong seed)
    {
        byte[] bytes = TransportParameterSamples.Encode(parameters, seed);
        TransportError error = TransportParametersReader.TryParse(bytes, fromServer, out TransportParameters? read);
        return !error.IsError && read == parameters with { UnknownCount = 1 };
    }

    private static TransportParameters Parse(string hex, bool fromServer)
    {
        TransportError error = TransportParametersReader.TryParse(Bytes(hex), fromServer, out TransportParameters? parameters);
        Assert.IsFalse(error.IsError, error.ToString());
        return parameters!;
    }

    private static void Refused(string hex, bool fromServer, string what)
    {
        TransportError error = TransportParametersReader.TryParse(Bytes(hex), fromServer, out TransportParameters? parameters);
        Assert.AreEqual(TransportErrorCode.TransportParameterError, error.Code, what);
        Assert.IsNull(parameters, what);
    }

    private static byte[] Bytes(string hex) =>
        Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal));
}
