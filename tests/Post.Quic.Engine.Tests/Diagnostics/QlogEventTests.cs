using System.Text;
using System.Text.Json;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Tests.Wire;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Engine.Wire.Parameters;
using Post.Quic.Testing.Mutations;

namespace Post.Quic.Engine.Tests.Diagnostics;

/// <summary>What a log says of what a connection did.</summary>
[TestClass]
public sealed class QlogEventTests
{
    [TestMethod]
    public async Task File_begins_with_what_it_is_and_who_saw_it()
    {
        var world = new TraceWorld(isServer: true);
        QlogFile file = await world.ReadAsync();
        Assert.AreEqual("urn:ietf:params:qlog:file:sequential", file.Header.GetProperty("file_schema").GetString());
        Assert.AreEqual("application/qlog+json-seq", file.Header.GetProperty("serialization_format").GetString());
        Assert.Contains("serialization_format", Encoding.ASCII.GetString(world.Output.ToArray()[..256]));
        Assert.AreEqual("a title", file.Header.GetProperty("title").GetString());
        JsonElement trace = file.Header.GetProperty("trace");
        Assert.AreEqual("server", trace.GetProperty("vantage_point").GetProperty("type").GetString());
        Assert.AreEqual("here", trace.GetProperty("vantage_point").GetProperty("name").GetString());
        JsonElement common = trace.GetProperty("common_fields");
        Assert.AreEqual("0102030405060708", common.GetProperty("group_id").GetString());
        JsonElement reference = common.GetProperty("reference_time");
        Assert.AreEqual("monotonic", reference.GetProperty("clock_type").GetString());
        Assert.AreEqual("2026-01-02T03:04:05.000Z", reference.GetProperty("wall_clock_time").GetString());
        JsonElement started = file.Single("quic:connection_started");
        Assert.AreEqual("127.0.0.1", started.GetProperty("local").GetProperty("ip_v4").GetString());
        Assert.AreEqual(443, started.GetProperty("remote").GetProperty("port_v4").GetInt32());
    }

    [TestMethod]
    public async Task Frames_about_several_paths_are_told_with_all_they_say_but_the_reset_token()
    {
        var world = new TraceWorld();
        var id = new ConnectionId([0xab, 0xcd]);
        byte[] payload = TraceWorld.Payload((ref WireWriter writer) =>
        {
            PacketNumberRange[] ranges = [new(7, 9)];
            Assert.IsTrue(AckFrameWriter.TryWrite(ref writer, ranges, 125, new EcnCounts(3, 0, 1), out _, 5));
            new PathAbandonFrame(1, (ulong)TransportErrorCode.PathUnstableOrPoor).Write(ref writer);
            new PathStatusFrame(IsBackup: true, 2, 70).Write(ref writer);
            new PathStatusFrame(IsBackup: false, 2, 71).Write(ref writer);
            new NewConnectionIdFrame(6, 4, id, new StatelessResetToken(new byte[16]), 3).Write(ref writer);
            new RetireConnectionIdFrame(3, 3).Write(ref writer);
            new MaxPathIdFrame(9).Write(ref writer);
            new PathsBlockedFrame(8).Write(ref writer);
            new PathConnectionIdsBlockedFrame(4, 2).Write(ref writer);
        });
        world.Trace.PacketSent(TraceWorld.Start, world.Path, EncryptionLevel.Application, 12, 400, payload);
        QlogFile file = await world.ReadAsync();

        string[] frames = [.. file.Single("quic:packet_sent").GetProperty("frames").EnumerateArray().Select(frame => frame.GetRawText())];
        string[] expected =
        [
            """{"frame_type":"path_ack","path_id":5,"ack_delay":1,"acked_ranges":[[7,9]],"ect0":3,"ect1":0,"ce":1}""",
            """{"frame_type":"path_abandon","path_id":1,"error":"path_unstable_or_poor"}""",
            """{"frame_type":"path_status_backup","path_id":2,"sequence_number":70}""",
            """{"frame_type":"path_status_available","path_id":2,"sequence_number":71}""",
            """{"frame_type":"path_new_connection_id","path_id":3,"sequence_number":6,"retire_prior_to":4,"connection_id_length":2,"connection_id":"abcd"}""",
            """{"frame_type":"path_retire_connection_id","path_id":3,"sequence_number":3}""",
            """{"frame_type":"max_path_id","maximum":9}""",
            """{"frame_type":"paths_blocked","limit":8}""",
            """{"frame_type":"path_cids_blocked","path_id":4,"next_sequence_number":2}""",
        ];
        CollectionAssert.AreEqual(expected, frames);
    }

    [TestMethod]
    public async Task Packet_is_told_with_its_header_size_and_frames()
    {
        var world = new TraceWorld();
        byte[] payload = TraceWorld.Payload((ref WireWriter writer) =>
        {
            PacketNumberRange[] ranges = [new(7, 9), new(2, 2)];
            Assert.IsTrue(AckFrameWriter.TryWrite(ref writer, ranges, 125, new EcnCounts(3, 0, 1), out _));
            StreamFrame.Write(ref writer, 4, 1000, new byte[300], fin: true);
            writer.WriteBytes(new byte[25]);
        });
        world.Trace.PacketSent(TraceWorld.Start, world.Path, EncryptionLevel.Application, 12, 400, payload);
        world.Trace.PacketReceived(TraceWorld.Start + 1500, null, EncryptionLevel.Initial, 0, 1200, [(byte)FrameType.Ping]);
        QlogFile file = await world.ReadAsync();

        JsonElement sent = file.Single("quic:packet_sent");
        Assert.AreEqual("1RTT", sent.GetProperty("header").GetProperty("packet_type").GetString());
        Assert.AreEqual(12, sent.GetProperty("header").GetProperty("packet_number").GetInt64());
        Assert.AreEqual(400, sent.GetProperty("raw").GetProperty("length").GetInt32());
        JsonElement[] frames = [.. sent.GetProperty("frames").EnumerateArray()];
        Assert.HasCount(3, frames);
        Assert.AreEqual("""{"frame_type":"ack","ack_delay":1,"acked_ranges":[[7,9],[2]],"ect0":3,"ect1":0,"ce":1}""", frames[0].GetRawText());
        Assert.AreEqual(
            """{"frame_type":"stream","stream_id":4,"offset":1000,"fin":true,"raw":{"payload_length":300}}""", frames[1].GetRawText());
        Assert.AreEqual("""{"frame_type":"padding","raw":{"payload_length":25}}""", frames[2].GetRawText());

        JsonElement received = file.Single("quic:packet_received");
        Assert.AreEqual("initial", received.GetProperty("header").GetProperty("packet_type").GetString());
        Assert.AreEqual("ping", received.GetProperty("frames")[0].GetProperty("frame_type").GetString());
        Assert.AreEqual(1.5, file.Events[file.IndexOf("quic:packet_received")].GetProperty("time").GetDouble());
    }

    [TestMethod]
    public async Task Every_kind_of_frame_is_told()
    {
        var random = new FuzzRandom(1);
        var world = new TraceWorld(isServer: true);
        var types = new List<ulong>();
        foreach (ulong type in FrameSamples.Types)
        {
            byte[] buffer = new byte[1000];
            var writer = new WireWriter(buffer);
            FrameSamples.Write(type, ref writer, ref random);
            world.Trace.PacketSent(TraceWorld.Start, world.Path, EncryptionLevel.Application, 1, 100, writer.Written);
            types.Add(type);
        }

        QlogFile file = await world.ReadAsync();
        IReadOnlyList<JsonElement> packets = file.Named("quic:packet_sent");
        Assert.HasCount(types.Count, packets);
        var names = new HashSet<string>();
        for (int i = 0; i < types.Count; i++)
        {
            Assert.IsFalse(packets[i].TryGetProperty("frames_incomplete", out _), $"0x{types[i]:x}");
            JsonElement frame = packets[i].GetProperty("frames").EnumerateArray().Single();
            string name = frame.GetProperty("frame_type").GetString()!;
            Assert.AreNotEqual("unknown", name, $"0x{types[i]:x}");
            names.Add(name);
        }

        // ACK, PATH_ACK, MAX_STREAMS, STREAMS_BLOCKED and CONNECTION_CLOSE have two types for one name.
        Assert.HasCount(types.Count - 5, names);
    }

    [TestMethod]
    public async Task Spoiled_packets_never_spoil_the_file()
    {
        const ulong Seed = 77;
        var random = new FuzzRandom(Seed);
        var world = new TraceWorld(bufferSize: 4 << 20);
        const int Packets = 2000;
        for (int i = 0; i < Packets; i++)
        {
            byte[] payload = new byte[1 + random.Below(200)];
            random.Fill(payload);
            if (random.Coin())
            {
                ulong type = FrameSamples.Types[random.Below(FrameSamples.Types.Length)];
                var writer = new WireWriter(payload = new byte[1000]);
                FrameSamples.Write(type, ref writer, ref random);
                payload = writer.Written[..(1 + random.Below(writer.Position))].ToArray();
                payload[random.Below(payload.Length)] ^= (byte)(1 << random.Below(8));
            }

            world.Trace.PacketReceived(TraceWorld.Start + i, world.Path, (EncryptionLevel)random.Below(4), (ulong)i, 1200, payload);
        }

        QlogFile file = await world.ReadAsync();
        Assert.HasCount(Packets, file.Named("quic:packet_received"), $"seed {Seed}");
        Assert.IsTrue(file.Named("quic:packet_received").Any(packet => packet.TryGetProperty("frames_incomplete", out _)));
    }

    [TestMethod]
    public async Task Data_tokens_and_reset_tokens_stay_out_of_the_file()
    {
        var world = new TraceWorld();
        byte[] secret = [.. Enumerable.Repeat((byte)0xa7, 16)];
        byte[] payload = TraceWorld.Payload((ref WireWriter writer) =>
        {
            NewTokenFrame.Write(ref writer, secret);
            new NewConnectionIdFrame(1, 0, new ConnectionId([9, 9]), new StatelessResetToken(secret)).Write(ref writer);
            CryptoFrame.Write(ref writer, 0, secret);
            DatagramFrame.Write(ref writer, secret);
            StreamFrame.Write(ref writer, 0, 0, secret, fin: false, withLength: false);
        });
        world.Trace.PacketReceived(TraceWorld.Start, world.Path, EncryptionLevel.Application, 1, 1200, payload);
        QlogFile file = await world.ReadAsync();
        Assert.AreEqual(5, file.Single("quic:packet_received").GetProperty("frames").GetArrayLength());
        Assert.DoesNotContain("a7a7", Encoding.UTF8.GetString(world.Output.ToArray()));
        Assert.AreEqual(-1, world.Output.ToArray().AsSpan().IndexOf(secret.AsSpan(0, 2)));
    }

    [TestMethod]
    public async Task Peers_reason_is_escaped_and_bytes_that_are_no_text_are_told_as_bytes()
    {
        var world = new TraceWorld();
        byte[] text = Encoding.UTF8.GetBytes("line\n\u001e{\"name\":\"forged\"}");
        byte[] payload = TraceWorld.Payload((ref WireWriter writer) => ConnectionCloseFrame.WriteApplication(ref writer, 7, text));
        world.Trace.PacketReceived(TraceWorld.Start, world.Path, EncryptionLevel.Application, 1, 100, payload);
        payload = TraceWorld.Payload((ref WireWriter writer) => ConnectionCloseFrame.WriteTransport(ref writer, 0x128, 6, [0xff, 0xfe]));
        world.Trace.PacketReceived(TraceWorld.Start, world.Path, EncryptionLevel.Application, 2, 100, payload);
        QlogFile file = await world.ReadAsync();
        JsonElement application = file.Named("quic:packet_received")[0].GetProperty("frames")[0];
        Assert.AreEqual("line\n\u001e{\"name\":\"forged\"}", application.GetProperty("reason").GetString());
        Assert.AreEqual(7, application.GetProperty("error_code").GetInt64());
        JsonElement transport = file.Named("quic:packet_received")[1].GetProperty("frames")[0];
        Assert.AreEqual("fffe", transport.GetProperty("reason_bytes").GetString());
        Assert.AreEqual("crypto_error_0x128", transport.GetProperty("error").GetString());
        Assert.AreEqual(6, transport.GetProperty("trigger_frame_type").GetInt64());
    }

    [TestMethod]
    public async Task Metrics_tell_what_changed_and_name_the_changes_of_state()
    {
        var world = new TraceWorld();
        world.Trace.MetricsUpdated(TraceWorld.Start, world.Path);
        world.Trace.MetricsUpdated(TraceWorld.Start + 1, world.Path);
        world.Path.Transmission.Rtt.AddSample(40_000, 0, TraceWorld.Start);
        world.Trace.MetricsUpdated(TraceWorld.Start + 2, world.Path);
        world.Path.Transmission.Congestion.OnCongestionEvent(TraceWorld.Start, TraceWorld.Start + 2, ecn: false);
        world.Trace.MetricsUpdated(TraceWorld.Start + 3, world.Path);
        QlogFile file = await world.ReadAsync();
        IReadOnlyList<JsonElement> metrics = file.Named("quic:recovery_metrics_updated");
        Assert.HasCount(3, metrics);
        Assert.IsGreaterThan(0, metrics[0].GetProperty("congestion_window").GetInt64());
        Assert.AreEqual(40.0, metrics[1].GetProperty("latest_rtt").GetDouble());
        Assert.IsFalse(metrics[1].TryGetProperty("congestion_window", out _));
        Assert.IsTrue(metrics[2].TryGetProperty("ssthresh", out _));
        IReadOnlyList<JsonElement> states = file.Named("quic:congestion_state_updated");
        Assert.AreEqual("""{"new":"slow_start"}""", states[0].GetRawText());
        Assert.AreEqual("slow_start", states[1].GetProperty("old").GetString());
        Assert.AreEqual(1200, file.Single("quic:mtu_updated").GetProperty("new").GetInt32());
        Assert.AreEqual("testing", file.Single("quic:ecn_state_updated").GetProperty("new").GetString());
    }

    [TestMethod]
    public async Task Keys_of_both_sides_are_told_once_a_level_and_once_an_update()
    {
        var world = new TraceWorld();
        world.Trace.KeysChanged(TraceWorld.Start, EncryptionLevel.Handshake, discarded: false, 0);
        world.Trace.KeysChanged(TraceWorld.Start, EncryptionLevel.Handshake, discarded: false, 0);
        world.Trace.KeysChanged(TraceWorld.Start, EncryptionLevel.EarlyData, discarded: false, 0);
        world.Trace.KeysChanged(TraceWorld.Start, EncryptionLevel.Application, discarded: false, 0);
        world.Trace.KeysChanged(TraceWorld.Start, EncryptionLevel.Application, discarded: false, 1);
        world.Trace.KeysChanged(TraceWorld.Start, EncryptionLevel.Handshake, discarded: true, 0);
        QlogFile file = await world.ReadAsync();
        string[] updated = [.. file.Named("quic:key_updated").Select(key => key.GetProperty("key_type").GetString()!)];
        string[] expected =
        [
            "client_handshake_secret", "server_handshake_secret", "client_0rtt_secret", "client_1rtt_secret", "server_1rtt_secret",
            "client_1rtt_secret", "server_1rtt_secret",
        ];
        CollectionAssert.AreEqual(expected, updated);
        Assert.AreEqual(1, file.Named("quic:key_updated")[^1].GetProperty("key_phase").GetInt32());
        Assert.HasCount(2, file.Named("quic:key_discarded"));
    }

    [TestMethod]
    public async Task Transport_parameters_are_told_and_scale_the_acknowledgement_delay()
    {
        var world = new TraceWorld();
        byte[] encoded = new byte[500];
        var parameters = new TransportParameters
        {
            InitialMaxData = 12345,
            AckDelayExponent = 10,
            InitialSourceConnectionId = new ConnectionId([1, 2]),
            OriginalDestinationConnectionId = new ConnectionId([3, 4]),
            MaxDatagramFrameSize = 65535,
        };
        var writer = new WireWriter(encoded);
        TransportParametersWriter.Write(ref writer, parameters, new SeededRandomSource(3));
        world.Trace.ParametersSet(TraceWorld.Start, ours: false, writer.Written);
        byte[] ack = TraceWorld.Payload((ref WireWriter payload) =>
            Assert.IsTrue(AckFrameWriter.TryWrite(ref payload, [new PacketNumberRange(0, 0)], 2, default, out _)));
        world.Trace.PacketReceived(TraceWorld.Start, world.Path, EncryptionLevel.Application, 0, 50, ack);
        world.Trace.PacketReceived(TraceWorld.Start, world.Path, EncryptionLevel.Handshake, 0, 50, ack);
        QlogFile file = await world.ReadAsync();
        JsonElement set = file.Single("quic:parameters_set");
        Assert.AreEqual("remote", set.GetProperty("initiator").GetString());
        Assert.AreEqual(12345, set.GetProperty("initial_max_data").GetInt64());
        Assert.AreEqual("0304", set.GetProperty("original_destination_connection_id").GetString());
        IReadOnlyList<JsonElement> received = file.Named("quic:packet_received");
        Assert.AreEqual(2.048, received[0].GetProperty("frames")[0].GetProperty("ack_delay").GetDouble());
        Assert.AreEqual(0.016, received[1].GetProperty("frames")[0].GetProperty("ack_delay").GetDouble());
    }

    [TestMethod]
    public async Task Second_path_gets_a_tuple_and_its_packets_name_it()
    {
        var world = new TraceWorld();
        Network second = TraceWorld.NewPath(3);
        world.Trace.PathChanged(TraceWorld.Start, new PathEvent(0, 0, PathChange.Added, TraceWorld.Local, TraceWorld.Remote));
        world.Trace.PathChanged(TraceWorld.Start, new PathEvent(0, 3, PathChange.Added, TraceWorld.Local, TraceWorld.Remote));
        world.Trace.PathChanged(TraceWorld.Start, new PathEvent(0, 3, PathChange.Validated, TraceWorld.Local, TraceWorld.Remote));
        world.Trace.PathChanged(TraceWorld.Start, new PathEvent(0, 3, PathChange.Active, TraceWorld.Local, TraceWorld.Remote));
        world.Trace.PacketSent(TraceWorld.Start, world.Path, EncryptionLevel.Application, 1, 50, [1]);
        world.Trace.PacketSent(TraceWorld.Start, second, EncryptionLevel.Application, 2, 50, [1]);
        QlogFile file = await world.ReadAsync();
        string[] tuples = [.. file.Named("quic:tuple_assigned").Select(tuple => tuple.GetProperty("tuple_id").GetString()!)];
        CollectionAssert.AreEqual(new[] { string.Empty, "3" }, tuples);
        string[] states = [.. file.Named("quic:migration_state_updated").Select(state => state.GetProperty("new").GetString()!)];
        CollectionAssert.AreEqual(new[] { "probing_successful", "migration_complete" }, states);
        JsonElement[] packets = [.. file.Events.Where(item => item.GetProperty("name").GetString() == "quic:packet_sent")];
        Assert.IsFalse(packets[0].TryGetProperty("tuple", out _));
        Assert.AreEqual("3", packets[1].GetProperty("tuple").GetString());
    }

    [TestMethod]
    public async Task Losses_drops_ids_phases_version_and_protocol_are_told()
    {
        var world = new TraceWorld();
        world.Trace.PhaseChanged(TraceWorld.Start, ConnectionPhase.Handshaking);
        world.Trace.VersionChosen(TraceWorld.Start, QuicVersion.Version2);
        world.Trace.AlpnChosen(TraceWorld.Start, "post/1"u8);
        world.Trace.PhaseChanged(TraceWorld.Start, ConnectionPhase.Established);
        world.Trace.ConnectionIdChanged(TraceWorld.Start, ours: false, 1, new ConnectionId([7, 7]), retired: false);
        world.Trace.ConnectionIdChanged(TraceWorld.Start, ours: true, 0, new ConnectionId([8, 8]), retired: true);
        world.Trace.PacketLost(TraceWorld.Start, 0, EncryptionLevel.Application, 5);
        world.Trace.PacketDropped(TraceWorld.Start, 77, PacketDropReason.NotAuthentic);
        QlogFile file = await world.ReadAsync();
        Assert.AreEqual("6b3343cf", file.Single("quic:version_information").GetProperty("chosen_version").GetString());
        Assert.AreEqual(
            "post/1", file.Single("quic:alpn_information").GetProperty("chosen_alpn").GetProperty("string_value").GetString());
        Assert.AreEqual(
            """{"old":"attempted","new":"handshake_complete"}""", file.Named("quic:connection_state_updated")[1].GetRawText());
        Assert.AreEqual("""{"initiator":"remote","new":"0707"}""", file.Named("quic:connection_id_updated")[0].GetRawText());
        Assert.AreEqual("""{"initiator":"local","old":"0808"}""", file.Named("quic:connection_id_updated")[1].GetRawText());
        Assert.AreEqual(
            """{"header":{"packet_type":"1RTT","packet_number":5}}""", file.Single("quic:packet_lost").GetRawText());
        Assert.AreEqual("decryption_failure", file.Single("quic:packet_dropped").GetProperty("trigger").GetString());
        Assert.AreEqual(77, file.Single("quic:packet_dropped").GetProperty("raw").GetProperty("length").GetInt32());
    }

    [TestMethod]
    [DataRow(CloseSource.Local, true, 9UL, "local", "application")]
    [DataRow(CloseSource.Peer, false, 10UL, "remote", "error")]
    [DataRow(CloseSource.IdleTimeout, false, 0UL, "local", "idle_timeout")]
    [DataRow(CloseSource.StatelessReset, false, 0UL, "remote", "stateless_reset")]
    [DataRow(CloseSource.VersionNegotiation, false, 0UL, "local", "version_mismatch")]
    public async Task End_of_the_connection_is_told_with_its_cause(
        object source, bool isApplication, ulong code, string initiator, string trigger)
    {
        var world = new TraceWorld();
        string reason = new('\u00e9', 1000);
        world.Trace.Closed(TraceWorld.Start, new ConnectionCloseInfo((CloseSource)source, isApplication, code, 0, reason));
        QlogFile file = await world.ReadAsync();
        JsonElement closed = file.Single("quic:connection_closed");
        Assert.AreEqual(initiator, closed.GetProperty("initiator").GetString());
        Assert.AreEqual(trigger, closed.GetProperty("trigger").GetString());
        Assert.AreEqual(new string('\u00e9', 128), closed.GetProperty("reason").GetString(), "cut at 256 bytes, between characters");
    }
}
