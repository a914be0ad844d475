using System.Diagnostics;
using Post.Quic.Benchmarks.Links;

namespace Post.Quic.Tests.Benchmarks;

/// <summary>The link of the benchmarks loses, delays and limits as it says, and the same for the same seed.</summary>
[TestClass]
public sealed class DelayLineTests
{
    private static readonly byte[] Packet = new byte[1000];

    [TestMethod]
    public void It_loses_its_share_and_the_same_packets_for_the_same_seed()
    {
        bool[] first = Survivors(seed: 1, direction: 0);
        bool[] again = Survivors(seed: 1, direction: 0);
        bool[] back = Survivors(seed: 1, direction: 1);
        bool[] other = Survivors(seed: 2, direction: 0);

        CollectionAssert.AreEqual(first, again);
        CollectionAssert.AreNotEqual(first, back);
        CollectionAssert.AreNotEqual(first, other);

        // Five per cent of 100,000, with a standard deviation of 69.
        foreach (bool[] survivors in new[] { first, back, other })
        {
            Assert.AreEqual(5000, survivors.Count(survived => !survived), 5 * 69);
        }
    }

    [TestMethod]
    public void A_packet_comes_out_when_its_delay_is_over_and_not_before()
    {
        var line = new DelayLine(new LinkOptions { Delay = TimeSpan.FromMilliseconds(25) }, 0, 28);
        line.Offer([1], At(0));
        line.Offer([2, 2], At(1));

        Assert.AreEqual(25, line.MillisecondsToNext(At(0), 100));
        Assert.IsFalse(line.TryTake(At(25) - 1, out _));
        Assert.AreEqual(1, line.MillisecondsToNext(At(25) - 1, 100));
        Assert.IsTrue(line.TryTake(At(25), out ReadOnlySpan<byte> packet));
        CollectionAssert.AreEqual(new byte[] { 1 }, packet.ToArray());
        Assert.IsFalse(line.TryTake(At(25), out _));
        Assert.IsTrue(line.TryTake(At(26), out packet));
        CollectionAssert.AreEqual(new byte[] { 2, 2 }, packet.ToArray());
        Assert.AreEqual(100, line.MillisecondsToNext(At(26), 100));
    }

    [TestMethod]
    public void What_exceeds_the_mtu_vanishes()
    {
        var line = new DelayLine(new LinkOptions { Mtu = 1500 }, 0, overhead: 28);
        line.Offer(new byte[1473], At(0));
        Assert.IsFalse(line.TryTake(At(0), out _));

        line.Offer(new byte[1472], At(0));
        Assert.IsTrue(line.TryTake(At(0), out _));
        Assert.AreEqual(1, line.Dropped);
    }

    [TestMethod]
    public void A_limit_spreads_packets_out_and_loses_what_its_queue_does_not_hold()
    {
        // 1,000 bytes take a millisecond; five of them may wait.
        var line = new DelayLine(new LinkOptions { BitsPerSecond = 8_000_000, QueueBytes = 5000 }, 0, overhead: 0);
        for (int i = 0; i < 8; i++)
        {
            line.Offer(Packet, At(0));
        }

        Assert.AreEqual(3, line.Dropped);
        for (int i = 1; i <= 5; i++)
        {
            Assert.IsFalse(line.TryTake(At(i) - 1, out _));
            Assert.IsTrue(line.TryTake(At(i), out _));
        }

        Assert.IsFalse(line.TryTake(At(1000), out _));
    }

    private static long At(int milliseconds) => milliseconds * (Stopwatch.Frequency / 1000);

    private static bool[] Survivors(int seed, int direction)
    {
        var line = new DelayLine(new LinkOptions { Loss = 0.05, Seed = seed }, direction, 28);
        bool[] survivors = new bool[100_000];
        for (int i = 0; i < survivors.Length; i++)
        {
            line.Offer(Packet, At(0));
            survivors[i] = line.TryTake(At(0), out _);
        }

        Assert.AreEqual(survivors.Count(survived => !survived), line.Lost);
        return survivors;
    }
}
