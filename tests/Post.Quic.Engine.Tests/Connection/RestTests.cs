using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Connections;

/// <summary>What a connection without traffic gives back, and that it goes on as if it had not.</summary>
[TestClass]
public sealed class RestTests
{
    [TestMethod]
    public void A_connection_at_rest_holds_no_rings_and_goes_on()
    {
        using Pair pair = new Pair().Handshake();
        byte[] data = pair.RandomBytes(300_000);
        for (int round = 0; round < 3; round++)
        {
            pair.Transfer(pair.Client, pair.Server, data, 10_000_000);
            pair.Transfer(pair.Server, pair.Client, data, 10_000_000);
            Assert.IsTrue(pair.Client.Core!.Rest(pair.Now) <= pair.Now + Limits.TimeToRest, "too early");
            Assert.AreNotEqual(0, Space(pair.Client).Sent.Capacity);
            pair.RunFor(2 * Limits.TimeToRest);
            foreach (SimulatedSide side in new[] { pair.Client, pair.Server })
            {
                Assert.AreEqual(long.MaxValue, side.Core!.Rest(pair.Now));
                Assert.AreEqual(0, Space(side).Sent.Capacity);
                Assert.AreEqual(0, Space(side).Frames.Capacity);
            }
        }

        Span<byte> ours = stackalloc byte[32], theirs = stackalloc byte[32];
        pair.Client.Core!.ExportKeyingMaterial("EXPORTER-test"u8, [], ours);
        pair.Server.Core!.ExportKeyingMaterial("EXPORTER-test"u8, [], theirs);
        Assert.IsTrue(ours.SequenceEqual(theirs));
    }

    [TestMethod]
    public void Acknowledgements_that_nobody_acknowledges_are_forgotten_at_rest()
    {
        using Pair pair = new Pair().Handshake();
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(false, out StreamState? stream));
        for (int i = 0; i < 5; i++)
        {
            stream!.Write(new byte[100]);
            pair.RunFor(200_000);
        }

        Assert.AreNotEqual(0, Space(pair.Server).Sent.OutstandingCount, "the server has sent nothing but acknowledgements");
        pair.RunFor(2 * Limits.TimeToRest);
        Assert.AreEqual(long.MaxValue, pair.Server.Core!.Rest(pair.Now));
        Assert.AreEqual(0, Space(pair.Server).Sent.Capacity);
        stream!.Write(new byte[100]);
        stream.Finish();
        pair.RunUntil(() => pair.Server.EndedStreams.Contains(stream.Id), 5_000_000, "the end");
        pair.Transfer(pair.Server, pair.Client, pair.RandomBytes(50_000), 10_000_000);
        Assert.AreEqual(0, pair.Client.Core.GetStatistics().PacketsLost + pair.Server.Core.GetStatistics().PacketsLost);
    }

    [TestMethod]
    public void While_something_is_on_its_way_or_waits_there_is_no_rest()
    {
        using Pair pair = new Pair().Handshake();
        pair.RunFor(2 * Limits.TimeToRest);
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(false, out StreamState? stream));
        stream!.Write(new byte[10]);
        Assert.AreEqual(pair.Now + Limits.TimeToRest, pair.Client.Core.Rest(pair.Now));
        var batch = new byte[2000];
        Assert.IsTrue(pair.Client.Core.BuildDatagrams(batch, pair.Now, out _) > 0);
        Assert.AreEqual(pair.Now + Limits.TimeToRest, pair.Client.Core.Rest(pair.Now));
        Assert.AreNotEqual(0, Space(pair.Client).Sent.Capacity);
    }

    [TestMethod]
    public void What_came_before_the_rest_counts_as_seen()
    {
        var filter = new DuplicateFilter(512);
        filter.Add(3);
        filter.Add(7);
        filter.Rest();
        foreach (ulong number in new ulong[] { 0, 3, 5, 7 })
        {
            Assert.IsFalse(filter.IsNew(number), $"{number}");
        }

        Assert.IsTrue(filter.IsNew(8));
        filter.Add(9);
        Assert.IsTrue(filter.IsNew(8));
        Assert.IsFalse(filter.IsNew(9));
        Assert.IsFalse(filter.IsNew(7));
        filter.Add(8);
        Assert.IsFalse(filter.IsNew(8));
    }

    private static PacketNumberSpace Space(SimulatedSide side) => side.Core!.State.Paths.First.Space;
}
