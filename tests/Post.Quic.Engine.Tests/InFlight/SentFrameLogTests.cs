using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Tests.InFlight;

/// <summary>The ring of frames on their way.</summary>
[TestClass]
public sealed class SentFrameLogTests
{
    [TestMethod]
    public void A_frame_of_the_log_is_no_larger_than_32_bytes_and_a_packet_of_the_ring_than_72()
    {
        Assert.IsLessThanOrEqualTo(32, System.Runtime.CompilerServices.Unsafe.SizeOf<SentFrame>());
        Assert.IsLessThanOrEqualTo(72, System.Runtime.CompilerServices.Unsafe.SizeOf<SentPacket>());
    }

    [TestMethod]
    public void What_is_discarded_leaves_no_trace()
    {
        using var log = new SentFrameLog();
        log.Record(new SentFrame(SentFrameKind.Ping, 1));
        log.Record(new SentFrame(SentFrameKind.Ping, 3));
        (long first, int count) = log.Commit();
        Assert.AreEqual(2, count);
        Assert.AreEqual(1UL, log[first].Id);
        Assert.AreEqual(3UL, log[first + 1].Id);
        log.Record(new SentFrame(SentFrameKind.Ping, 4));
        log.Discard();
        Assert.AreEqual(2, log.Count);
    }

    [TestMethod]
    public void Slices_stay_readable_while_the_ring_grows_and_frees_from_its_head()
    {
        int seed = Random.Shared.Next();
        var random = new Random(seed);
        using var log = new SentFrameLog();
        var slices = new Queue<(long First, int Count, ulong Id)>();
        ulong id = 0;
        for (int i = 0; i < 20_000; i++)
        {
            int count = random.Next(5);
            ulong firstId = id;
            for (int k = 0; k < count; k++)
            {
                log.Record(new SentFrame(SentFrameKind.Stream, id++));
            }

            (long first, int committed) = log.Commit();
            Assert.AreEqual(count, committed);
            slices.Enqueue((first, count, firstId));
            while (slices.Count > random.Next(200))
            {
                (long at, int length, ulong expected) = slices.Dequeue();
                for (int k = 0; k < length; k++)
                {
                    Assert.AreEqual(expected + (ulong)k, log[at + k].Id, $"seed {seed}");
                }

                log.FreeUpTo(at + length);
            }
        }

        Assert.IsLessThanOrEqualTo(1024, log.Capacity, $"seed {seed}");
    }

    [TestMethod]
    public void A_large_ring_goes_back_to_the_pool_when_nothing_is_on_its_way()
    {
        using var log = new SentFrameLog();
        for (int i = 0; i < Limits.SentFramesKeptWhenIdle + 1; i++)
        {
            log.Record(new SentFrame(SentFrameKind.Ping));
        }

        log.Commit();
        log.FreeAll();
        Assert.AreEqual(0, log.Capacity);
        log.Record(new SentFrame(SentFrameKind.Ping, 5));
        Assert.AreEqual(5UL, log[log.Commit().First].Id);
    }
}
