using System.Net;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Transport;

/// <summary>Streams that go out in one call and come in as one event, and those that are pushed.</summary>
[TestClass]
public sealed class WholeStreamTests
{
    private static readonly TransportPriority Ordinary = new(100, TransportPriority.NoDeadline, false, 0);

    [TestMethod]
    public void A_stream_that_fits_into_a_packet_goes_out_in_one_call_and_comes_as_one_event() => Run(takes: true, async (client, told, server, heard, network) =>
    {
        Assert.AreEqual(TransportSendResult.Queued, client.TrySendStream("he"u8, "llo"u8, Ordinary, 7));
        await Task.Delay(TimeSpan.FromSeconds(1), network.Clock);

        CollectionAssert.AreEqual("hello"u8.ToArray(), heard.Whole.Single());
        Assert.IsEmpty(heard.Accepted);
        CollectionAssert.AreEqual(new[] { "sent 7", "acknowledged 7" }, told.Reports);
    });

    [TestMethod]
    public void What_the_listener_does_not_take_becomes_a_stream() => Run(takes: false, async (client, told, server, heard, network) =>
    {
        client.TrySendStream("hello"u8, default, Ordinary, 7);
        await Task.Delay(TimeSpan.FromSeconds(1), network.Clock);

        Assert.IsEmpty(heard.Whole);
        CollectionAssert.AreEqual("hello"u8.ToArray(), await TransportWorld.ReadAllAsync(heard.Accepted.Single()));
    });

    [TestMethod]
    public void What_is_larger_than_a_packet_is_not_taken() => Run(takes: true, (client, _, _, _, _) =>
    {
        Assert.AreEqual(TransportSendResult.Queued, client.TrySendStream(new byte[600], new byte[client.MaxDatagramSize - 600], Ordinary, 1));
        Assert.AreEqual(TransportSendResult.TooLarge, client.TrySendStream(new byte[600], new byte[client.MaxDatagramSize - 599], Ordinary, 2));
        return Task.CompletedTask;
    });

    [TestMethod]
    public void The_peers_limit_on_streams_holds_and_is_lifted_by_what_is_taken() => Run(takes: true, async (client, _, _, heard, network) =>
    {
        for (var i = 0; i < 4; i++)
        {
            Assert.AreEqual(i < 3 ? TransportSendResult.Queued : TransportSendResult.NoStreams, client.TrySendStream("x"u8, default, Ordinary, i));
        }

        await Task.Delay(TimeSpan.FromSeconds(1), network.Clock);
        Assert.AreEqual(TransportSendResult.Queued, client.TrySendStream("x"u8, default, Ordinary, 4));
        await Task.Delay(TimeSpan.FromSeconds(1), network.Clock);
        Assert.HasCount(4, heard.Whole);
    }, streams: 3);

    [TestMethod]
    public void A_lost_stream_is_sent_again_and_one_that_is_reset_is_not() => Run(takes: true, async (client, told, server, heard, network) =>
    {
        network.IsUp = false;
        client.TrySendStream("kept"u8, default, Ordinary, 1);
        client.TrySendStream("dropped"u8, default, Ordinary, 2);
        await Task.Delay(TimeSpan.FromMilliseconds(1), network.Clock);
        client.ResetSentStream(2, 99);
        client.ResetSentStream(3, 99);
        await Task.Delay(TimeSpan.FromMilliseconds(100), network.Clock);
        network.IsUp = true;
        await Task.Delay(TimeSpan.FromSeconds(5), network.Clock);

        CollectionAssert.AreEqual("kept"u8.ToArray(), heard.Whole.Single());
        CollectionAssert.AreEqual(new[] { "sent 1", "sent 2", "acknowledged 1" }, told.Reports);
    });

    [TestMethod]
    public void A_reader_that_stops_is_reported_by_the_token() => Run(takes: false, async (client, told, server, heard, network) =>
    {
        network.ToServer = PostWorld.Link(loss: 0);
        client.TrySendStream(new byte[1000], default, Ordinary, 7);
        client.TrySendStream(new byte[1000], default, Ordinary, 8);
        await Task.Delay(TimeSpan.FromSeconds(1), network.Clock);

        // All of it is there, so the peer's transport need not be told.
        heard.Accepted[0].StopReading(5);
        await Task.Delay(TimeSpan.FromSeconds(1), network.Clock);
        CollectionAssert.AreEqual(new[] { "sent 7", "sent 8", "acknowledged 7", "acknowledged 8" }, told.Reports);
    });

    private static void Run(
        bool takes, Func<TransportConnection, Listening, TransportConnection, Listening, InMemoryNetwork, Task> body, int streams = 1024)
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: 10));
        var transport = network.CreateTransport();
        network.Run(async () =>
        {
            var listener = await transport.ListenAsync(
                new TransportListenRequest
                {
                    Local = Local.At(new DnsEndPoint("server", 1)),
                    Options = new() { MaxInboundUnidirectionalStreams = streams },
                },
                default);
            var accepting = listener.AcceptAsync(default);
            var client = await transport.ConnectAsync(new TransportConnectRequest { Local = Local.Anonymous, Remote = Remote.Named("server", 1) }, default);
            var told = new Listening(takes);
            client.Start(told);
            var server = (await accepting)!;
            var heard = new Listening(takes);
            server.Start(heard);
            await body(client, told, server, heard, network);
        });
        Assert.AreEqual(0, network.Clock.ForeignWork);
    }

    private sealed class Listening(bool takes) : TransportEvents
    {
        public List<byte[]> Whole { get; } = [];

        public List<TransportStream> Accepted { get; } = [];

        public List<string> Reports { get; } = [];

        public override bool OnStreamReceived(long streamId, ReadOnlySpan<byte> bytes, bool isEarlyData, long arrivedAt)
        {
            if (takes)
            {
                Whole.Add(bytes.ToArray());
            }

            return takes;
        }

        public override void OnStreamAccepted(TransportStream stream) => Accepted.Add(stream);

        public override void OnStreamSent(long token) => Reports.Add($"sent {token}");

        public override void OnSentStreamAcknowledged(long token) => Reports.Add($"acknowledged {token}");

        public override void OnSentStreamStopped(long token, long errorCode) => Reports.Add($"stopped {token} {errorCode}");
    }
}
