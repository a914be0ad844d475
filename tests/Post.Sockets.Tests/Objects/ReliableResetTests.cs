using System.Net;
using Post.Sockets.Protocol;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Objects;

/// <summary>What tells the receiver that an object died: the reset of its stream with the header delivered, or ABANDON.</summary>
[TestClass]
public sealed class ReliableResetTests
{
    private const TransportCapabilities WithoutReliableReset =
        InMemoryNetwork.DefaultCapabilities & ~TransportCapabilities.ReliableReset;

    [TestMethod]
    public void A_stream_that_is_reset_with_its_header_needs_no_abandon() => Run(InMemoryNetwork.DefaultCapabilities, async (world, client, peer) =>
    {
        var sent = client.Send(new byte[200_000]);
        await world.DelayAsync(200);
        sent.Cancel();
        await world.DelayAsync(200);
        Assert.AreEqual(0, peer.Count(ControlFrameType.Abandon));
        var seen = peer.Objects.Single();
        Assert.IsTrue(seen.IsReset);
        Assert.AreEqual(PostErrorCode.Canceled, seen.ResetCode);
        Assert.AreEqual(sent.Id, seen.Id);
    });

    [TestMethod]
    public void Without_the_capability_abandon_tells_it() => Run(WithoutReliableReset, async (world, client, peer) =>
    {
        var sent = client.Send(new byte[200_000]);
        await world.DelayAsync(200);
        sent.Cancel();
        await world.DelayAsync(200);
        Assert.AreEqual((long)AbandonReason.Canceled, peer.Ids(ControlFrameType.Abandon).Single().Code);
    });

    [TestMethod]
    public void What_never_had_a_stream_is_abandoned_whatever_the_transport_can() => Run(InMemoryNetwork.DefaultCapabilities, async (world, client, peer) =>
    {
        var first = client.Send(new byte[500_000]);
        var behind = client.Send(new byte[10], new() { Antecedents = [first] });
        await world.DelayAsync(100);
        behind.Cancel();
        await world.DelayAsync(100);
        Assert.AreEqual((1L, 1L), peer.Ids(ControlFrameType.Abandon).Select(ids => (ids.First, ids.Last)).Single());
    });

    [TestMethod]
    public void Packets_that_are_lost_do_not_lose_the_header()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var world = new PostWorld(seed, PostWorld.Link(1_000_000, 20, loss: 0.3));
            world.Run(async _ =>
            {
                world.Server.Register<Received>(_ => { });
                var sent = Enumerable.Range(0, 20)
                    .Select(_ => world.Client.Send(new byte[20_000], new() { Lifetime = TimeSpan.FromMilliseconds(700) })).ToArray();
                var last = world.Client.Send(new byte[1], new() { Antecedents = [.. sent], AntecedentPolicy = AntecedentPolicy.Order });
                Assert.AreEqual(ObjectOutcome.Acked, (await last.Completion).Outcome, $"seed {world.Network.Seed}");
                var ends = await Task.WhenAll(sent.Select(item => item.Completion));
                Assert.IsTrue(ends.Any(end => end.Outcome == ObjectOutcome.Expired), $"seed {world.Network.Seed}");
                Assert.IsLessThan(10, world.Network.Clock.Elapsed.TotalSeconds, $"seed {world.Network.Seed}: it had to wait for a timeout");
            });
        }
    }

    private static void Run(TransportCapabilities capabilities, Func<PostWorld, Association, RawEnd, Task> body) =>
        new PostWorld(link: PostWorld.Link(1_000_000, 20)).Run(async world =>
        {
            var transport = world.CreateTransport(capabilities);
            await using var listener = await transport.ListenAsync(
                new TransportListenRequest { Local = Local.At(new DnsEndPoint("raw", 1)) }, CancellationToken.None);
            var accepting = listener.AcceptAsync(CancellationToken.None).AsTask();
            var client = await Association.AssociateAsync(transport, Local.Anonymous, Remote.Named("raw", 1));
            var peer = new RawEnd((await accepting)!);
            await peer.SayHelloAsync(new HelloFrame { Features = HelloFeatures.DatagramObjects | HelloFeatures.PostStreams });
            await world.DelayAsync(50);
            await body(world, client, peer);
        });
}
