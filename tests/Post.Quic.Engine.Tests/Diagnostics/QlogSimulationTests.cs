using System.Text.Json;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Diagnostics;

/// <summary>The logs of both ends of a simulated connection tell one story.</summary>
[TestClass]
public sealed class QlogSimulationTests
{
    [TestMethod]
    public async Task Handshake_and_transfer_over_a_lossy_network_are_told_as_they_were()
    {
        var client = new TraceWorld(bufferSize: 8 << 20);
        var server = new TraceWorld(bufferSize: 8 << 20, isServer: true);
        var options = new PairOptions { Seed = 11, ClientTrace = client.Trace, ServerTrace = server.Trace };
        long sent;
        long lost;
        using (Pair pair = new Pair(options).Handshake())
        {
            pair.Network.FromClient = new LinkConditions { Loss = 0.02 };
            _ = pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 30_000_000);
            pair.RunFor(1_000_000);
            sent = pair.Client.Core!.GetStatistics().PacketsSent;
            lost = pair.Client.Core!.GetStatistics().PacketsLost;
            pair.Client.Core!.Close(5, "done", pair.Now);
            pair.RunFor(5_000_000);
        }

        QlogFile near = await client.ReadAsync();
        QlogFile far = await server.ReadAsync();
        Assert.IsGreaterThan(0, lost);
        Assert.HasCount((int)lost, near.Named("quic:packet_lost"));
        Assert.IsGreaterThanOrEqualTo(sent, near.Named("quic:packet_sent").Count);
        Assert.IsEmpty(near.Named("loglevel:warning"));
        Assert.IsFalse(near.Named("quic:packet_sent").Any(packet => packet.TryGetProperty("frames_incomplete", out _)));

        string[] types = [.. near.Named("quic:packet_sent").Select(TypeOf).Distinct()];
        CollectionAssert.AreEqual(new[] { "initial", "handshake", "1RTT" }, types);
        Assert.IsLessThan(near.IndexOf("quic:packet_sent"), near.IndexOf("quic:connection_started"));
        Assert.HasCount(2, near.Named("quic:parameters_set"));
        Assert.IsNotEmpty(near.Named("quic:key_updated"));
        Assert.IsNotEmpty(near.Named("quic:key_discarded"));
        Assert.IsNotEmpty(near.Named("quic:congestion_state_updated"));
        Assert.AreEqual(
            near.Single("quic:version_information").GetRawText(), far.Single("quic:version_information").GetRawText());
        Assert.AreEqual("local", near.Single("quic:connection_closed").GetProperty("initiator").GetString());
        Assert.AreEqual("remote", far.Single("quic:connection_closed").GetProperty("initiator").GetString());
        Assert.AreEqual(5, far.Single("quic:connection_closed").GetProperty("error_code").GetInt64());

        // What one end received is what the other sent, frame by frame.
        Dictionary<string, string> sentFrames = near.Named("quic:packet_sent").ToDictionary(KeyOf, FramesOf);
        foreach (JsonElement packet in far.Named("quic:packet_received"))
        {
            Assert.AreEqual(sentFrames[KeyOf(packet)], FramesOf(packet), KeyOf(packet));
        }
    }

    [TestMethod]
    public async Task Packets_of_several_paths_are_told_apart_and_so_is_what_becomes_of_the_paths()
    {
        var client = new TraceWorld(bufferSize: 8 << 20);
        var server = new TraceWorld(bufferSize: 8 << 20, isServer: true);
        var settings = new ConnectionSettings { MaxPaths = 4 };
        var second = NetworkAddress.FromIPv4(0x0a000102, 50001);
        var options = new PairOptions { Seed = 11, Client = settings, Server = settings, ClientTrace = client.Trace, ServerTrace = server.Trace };
        long lost;
        using (Pair pair = new Pair(options).Handshake())
        {
            pair.RunFor(500_000);
            SimulatedLink link = pair.Network.AddLink(second, new LinkConditions { Bandwidth = 1_000_000, Loss = 0.03 });
            Assert.AreEqual(PathOpening.Begun, pair.Client.Core!.TryOpenPath(second, default, pair.Now, out _));
            pair.RunFor(500_000);
            Assert.IsTrue(pair.Client.Core.TrySetBackup(0, isBackup: true));
            _ = pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(500_000), 30_000_000);
            link.IsDead = true;
            _ = pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(300_000), 30_000_000);
            Assert.IsTrue(pair.Client.Core.TryAbandonPath(1, 0x3e, pair.Now));
            pair.RunFor(5_000_000);
            lost = pair.Client.Core.GetStatistics().PacketsLost;
            pair.Client.Core.Close(5, "done", pair.Now);
            pair.RunFor(5_000_000);
        }

        QlogFile near = await client.ReadAsync();
        QlogFile far = await server.ReadAsync();
        Assert.IsGreaterThan(0, lost);
        Assert.IsTrue(near.Named("quic:packet_lost").Any(packet => PathOf(packet.GetProperty("header")) == 1));
        Assert.IsTrue(near.Named("quic:recovery_metrics_updated").Any(metrics => PathOf(metrics) == 1));
        Assert.IsTrue(near.Named("quic:recovery_metrics_updated").Any(metrics => PathOf(metrics) == 0));
        string[] told = [.. near.Named("loglevel:info").Select(line => line.GetProperty("message").GetString()!)];
        foreach (string line in (string[])["path 0 is a backup", "path 1 is suspect", "path 1 is failing", "path 1 is abandoned"])
        {
            CollectionAssert.Contains(told, line, string.Join(", ", told));
        }

        // Numbers are those of a path: only with its id is a packet known.
        Dictionary<string, string> sentFrames = near.Named("quic:packet_sent").ToDictionary(KeyOf, FramesOf);
        foreach (JsonElement packet in far.Named("quic:packet_received"))
        {
            Assert.AreEqual(sentFrames[KeyOf(packet)], FramesOf(packet), KeyOf(packet));
        }
    }

    [TestMethod]
    public void Owner_can_name_a_connection_by_the_id_of_its_first_packet()
    {
        var id = new ConnectionId([9, 8, 7, 6, 5, 4, 3, 2]);
        using var pair = new Pair(new PairOptions { FirstDestination = id });
        byte[]? first = null;
        pair.Network.Sniffer = datagram => first ??= [.. datagram.Payload];
        pair.Handshake();

        // RFC 8999 section 5.1: the destination id stands behind the first byte, the version and its own length.
        CollectionAssert.AreEqual(id.Span.ToArray(), first![6..14]);
    }

    private static int PathOf(JsonElement element) => element.TryGetProperty("path_id", out JsonElement id) ? id.GetInt32() : 0;

    private static string TypeOf(JsonElement packet) => packet.GetProperty("header").GetProperty("packet_type").GetString()!;

    private static string KeyOf(JsonElement packet) => packet.GetProperty("header").GetRawText();

    private static string FramesOf(JsonElement packet) => packet.GetProperty("frames").GetRawText();
}
