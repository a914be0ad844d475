using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Multipath;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Tests.Worlds;

namespace Post.Quic.Engine.Tests.Connection;

/// <summary>What is repeated with too little time left for another repetition goes twice.</summary>
[TestClass]
public sealed class LastTryTests
{
    private const int Size = 1_000;
    private const long Near = 60_000;
    private const long Far = 600_000;

    [TestMethod]
    [DataRow(true, Near, 2, DisplayName = "repeated, and no time is left")]
    [DataRow(true, Far, 1, DisplayName = "repeated, but it may be repeated again")]
    [DataRow(false, Near, 1, DisplayName = "sent for the first time")]
    public void A_datagram_goes_twice(bool isRepair, long left, int expected)
    {
        using Pair pair = Connect();
        int sent = CountLarge(pair);
        Enqueue(pair, 0, pair.Now + left, isRepair);
        pair.RunFor(20_000);
        Assert.AreEqual(expected, CountLarge(pair) - sent);
        Assert.HasCount(expected, pair.Server.Datagrams);
    }

    [TestMethod]
    public void Both_count_in_the_window()
    {
        using Pair pair = Connect();
        Enqueue(pair, 0, pair.Now + Near, isRepair: true);
        pair.RunFor(100);
        Assert.IsGreaterThanOrEqualTo(2 * Size, pair.Client.Core!.State.Paths.First.Transmission.BytesInFlight);
    }

    [TestMethod]
    [DataRow(Near, 2)]
    [DataRow(Far, 1)]
    public void A_stream_that_is_repeated_goes_twice(long left, int expected)
    {
        using Pair pair = Connect();
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(false, out StreamState? stream));

        // The first packet is lost; it is repeated after a probe timeout of some 50 ms.
        pair.Network.Fate = datagram => datagram.FromClient ? DatagramFate.Drop : DatagramFate.Deliver;
        stream!.SetUrgency(new SendUrgency(0, pair.Now + 30_000 + left));
        stream.WriteAll(new byte[Size]);
        stream.Finish();
        pair.RunFor(100);
        pair.Network.Fate = null;
        int sent = CountLarge(pair);
        pair.RunUntil(() => pair.Server.EndedStreams.Contains(stream.Id), 1_000_000, "the stream");
        pair.RunFor(100_000);
        Assert.AreEqual(expected, CountLarge(pair) - sent);
    }

    [TestMethod]
    public void Where_there_are_two_paths_it_goes_by_both()
    {
        using var links = new TwoLinks(1, TwoLinks.Link(20, 40), TwoLinks.Link(20, 50));
        links.Transfer(100_000);
        (long first, long second) = (links.First.BytesUp, links.Second.BytesUp);
        Enqueue(links.Pair, 0, links.Pair.Now + Near, isRepair: true);
        links.Pair.RunFor(60_000);
        Assert.IsGreaterThan(Size, links.First.BytesUp - first);
        Assert.IsGreaterThan(Size, links.Second.BytesUp - second);
        Assert.IsLessThan(2 * Size, links.First.BytesUp - first);
        Assert.HasCount(2, links.Pair.Server.Datagrams);
    }

    [TestMethod]
    public void It_comes_behind_what_was_not_sent_at_all_and_is_as_urgent_and_before_the_rest()
    {
        using Pair pair = Connect();
        Enqueue(pair, 2, long.MaxValue, isRepair: false, 3);
        Enqueue(pair, 1, pair.Now + Near, isRepair: true, 1);
        Enqueue(pair, 1, pair.Now + Near + 1, isRepair: false, 2);
        pair.RunFor(20_000);
        CollectionAssert.AreEqual(new byte[] { 1, 2, 1, 3 }, pair.Server.Datagrams.Select(one => one[0]).ToArray());
    }

    [TestMethod]
    public void Its_loss_is_told_when_both_are_lost_and_its_arrival_when_one_has_arrived()
    {
        using Pair pair = Connect();
        int count = 0;
        pair.Network.Fate = datagram =>
            datagram.FromClient && datagram.Payload.Length > Size && count++ == 0 ? DatagramFate.Drop : DatagramFate.Deliver;
        List<DatagramState> told = [];
        pair.Client.DatagramTold = (_, state) => told.Add(state);
        Enqueue(pair, 0, pair.Now + Near, isRepair: true);
        pair.RunFor(1_000_000);
        CollectionAssert.AreEqual(new[] { DatagramState.Sent, DatagramState.Acknowledged }, told);
    }

    private static Pair Connect()
    {
        Pair pair = World.Connected(1);
        World.Exchange(pair, 10_000, 10_000_000);
        pair.Server.Echo = false;
        pair.RunFor(2_000_000);
        return pair;
    }

    private static int CountLarge(Pair pair) =>
        (int)(pair.Client.Core!.GetPaths()[0].BytesSent / Size);

    private static void Enqueue(Pair pair, int urgencyClass, long deadline, bool isRepair, byte mark = 0)
    {
        byte[] payload = new byte[Size];
        payload[0] = mark;
        Assert.AreEqual(
            DatagramEnqueueResult.Queued,
            pair.Client.Core!.Datagrams.TryEnqueue(payload, urgencyClass, deadline, out _, isRepair: isRepair));
    }
}
