using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Connections;

/// <summary>What a congestion window of two datagrams lets out.</summary>
[TestClass]
public sealed class NarrowWindowTests
{
    [TestMethod]
    public void What_fits_whole_into_the_rest_of_the_window_leaves()
    {
        using Pair pair = Narrow();
        Transmission path = pair.Client.Core!.State.Paths.First.Transmission;
        ulong first = Enqueue(pair, 1_000);
        Enqueue(pair, 1_000);
        ulong small = Enqueue(pair, (int)(path.Congestion.Window - 2_140));
        ulong last = Enqueue(pair, 1_000);
        pair.Drive();
        Assert.AreEqual(DatagramState.Sent, pair.Client.DatagramStates[first]);
        Assert.AreEqual(DatagramState.Sent, pair.Client.DatagramStates[small], "There is no room for a full datagram, but for this one.");
        Assert.IsFalse(pair.Client.DatagramStates.ContainsKey(last));
        Assert.IsLessThanOrEqualTo(path.Congestion.Window, path.BytesInFlight);
    }

    [TestMethod]
    public void The_end_of_a_stream_leaves_where_it_fits()
    {
        using Pair pair = Narrow();
        Transmission path = pair.Client.Core!.State.Paths.First.Transmission;
        Enqueue(pair, 1_000);
        Enqueue(pair, 1_000);
        pair.Drive();
        ulong id = Write(pair, 100);
        pair.RunFor(12_000);
        CollectionAssert.Contains(pair.Server.EndedStreams.ToArray(), id);
        Assert.IsLessThanOrEqualTo(path.Congestion.Window, path.BytesInFlight);
    }

    [TestMethod]
    public void A_large_stream_is_not_cut_into_pieces_as_small_as_the_rest_of_the_window()
    {
        using Pair pair = Narrow();
        Transmission path = pair.Client.Core!.State.Paths.First.Transmission;
        Enqueue(pair, 1_000);
        Enqueue(pair, 1_000);
        pair.Drive();
        long before = path.BytesInFlight;
        Write(pair, 10_000);
        pair.Drive();
        Assert.AreEqual(before, path.BytesInFlight);
        pair.RunFor(1_000_000);
        Assert.AreEqual(10_000, pair.Server.BytesRead);
    }

    private static Pair Narrow()
    {
        Pair pair = new Pair().Handshake();
        pair.RunFor(2_000_000);
        Transmission path = pair.Client.Core!.State.Paths.First.Transmission;
        path.OnPersistentCongestion(pair.Now);
        Assert.AreEqual(0, path.BytesInFlight);
        Assert.AreEqual(2L * path.Congestion.MaxDatagramSize, path.Congestion.Window);
        return pair;
    }

    private static ulong Enqueue(Pair pair, int size)
    {
        Assert.AreEqual(
            DatagramEnqueueResult.Queued,
            pair.Client.Core!.Datagrams.TryEnqueue(new byte[size], 0, long.MaxValue, out ulong number));
        return number;
    }

    private static ulong Write(Pair pair, int size)
    {
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(false, out StreamState? stream));
        stream.WriteAll(new byte[size]);
        stream.Finish();
        return stream.Id;
    }
}
