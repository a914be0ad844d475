using Post.Sockets.Objects;
using Post.Sockets.Protocol;

namespace Post.Sockets.Tests.Objects;

[TestClass]
public sealed class PeerClockTests
{
    private const long Second = 1_000_000;
    private const long Millisecond = 1000;

    /// <summary>Ours less the peer's.</summary>
    private const long Apart = 123_456_789_012;

    [TestMethod]
    public void What_was_repeated_or_queued_is_as_old_as_it_is()
    {
        var clock = Create(trip: 50 * Millisecond);
        clock.OnSample(0, Apart + (25 * Millisecond));
        var random = new Random(1);
        for (var i = 1L; i < 5000; i++)
        {
            var sent = i * 20 * Millisecond;
            var took = (25 * Millisecond) + (random.Next(10) == 0 ? random.Next(2_000_000) : random.Next(5_000));
            clock.OnSample(sent, Apart + sent + took);
            var error = clock.EndOf(sent, 0, Apart + sent + took) - (Apart + sent);
            Assert.IsTrue(error is >= -2 and <= 1000, $"object {i} passes for {error} us younger than it is");
        }
    }

    [TestMethod]
    [DataRow(40, true)]
    [DataRow(600, true)]
    [DataRow(600, false)]
    public void A_queue_that_stands_does_not_pass_for_a_clock_while_the_round_trips_show_it(int seconds, bool isShown)
    {
        var clock = Create(trip: 50 * Millisecond);
        clock.OnSample(0, Apart + (25 * Millisecond));
        var late = 0L;
        for (var sent = 0L; sent < seconds * Second; sent += 100 * Millisecond)
        {
            clock.OnMeasured(50 * Millisecond, isShown ? 250 * Millisecond : 50 * Millisecond);
            clock.OnSample(sent, Apart + sent + (225 * Millisecond));
            late = Math.Max(late, clock.EndOf(sent, 0, Apart + sent) - (Apart + sent));
        }

        Assert.AreEqual(isShown ? seconds * 100 : 200 * Millisecond, late, isShown ? 200 : 5 * Millisecond);
    }

    [TestMethod]
    [DataRow(90)]
    [DataRow(-90)]
    [DataRow(-1000)]
    public void Clocks_that_drift_apart_are_followed(int partsPerMillion)
    {
        // Negative: ours is the slower one, each sample is lower than the last, and a lower one counts at once.
        var clock = Create(trip: 10 * Millisecond);
        for (var sent = 0L; sent < 3600 * Second; sent += Second)
        {
            var ours = Apart + sent + (sent * partsPerMillion / 1_000_000);
            clock.OnSample(sent, ours + (5 * Millisecond));
            var error = clock.EndOf(sent, 0, ours + (5 * Millisecond)) - ours;
            Assert.IsTrue(Math.Abs(error) < 200, $"{error} us after {sent / Second} s");
        }
    }

    [TestMethod]
    public void Clocks_that_drift_apart_faster_than_any_quartz_are_followed_window_by_window()
    {
        var clock = Create(trip: 10 * Millisecond);
        for (var sent = 0L; sent < 3600 * Second; sent += Second)
        {
            var ours = Apart + sent + (sent * 500 / 1_000_000);
            clock.OnSample(sent, ours + (5 * Millisecond));
            var error = clock.EndOf(sent, 0, ours + (5 * Millisecond)) - ours;
            Assert.IsTrue(error is >= -20_000 and <= 200, $"{error} us after {sent / Second} s");
        }
    }

    [TestMethod]
    [DataRow(20)]
    [DataRow(100_000)]
    public void A_peer_whose_clock_stood_still_is_understood_again_after_two_windows(int seconds)
    {
        var clock = Create(trip: 50 * Millisecond);
        var apart = Apart;
        for (var sent = 0L; sent < 120 * Second; sent += Second)
        {
            if (sent == 30 * Second)
            {
                apart += seconds * Second;
            }

            clock.OnSample(sent, apart + sent + (25 * Millisecond));
            var error = clock.EndOf(sent, 0, apart + sent + (25 * Millisecond)) - (apart + sent);
            Assert.IsLessThan(300L, error, "never younger than it is");
            if (sent is < 30 * Second or > 75 * Second)
            {
                Assert.IsGreaterThan(-300L, error, $"after {sent / Second} s");
            }
        }
    }

    [TestMethod]
    public void Another_way_begins_with_what_is_known_of_the_clocks()
    {
        var clock = Create(trip: 20 * Millisecond);
        clock.OnSample(0, Apart + (10 * Millisecond));
        clock.OnAnotherWay();
        clock.OnMeasured(200 * Millisecond, 200 * Millisecond);

        // The first that comes by the new way was repeated for a second.
        clock.OnSample(Second, Apart + (2 * Second));
        Assert.AreEqual(Apart + Second, clock.EndOf(Second, 0, Apart + (2 * Second)), 200);
    }

    [TestMethod]
    public void A_path_with_a_longer_round_trip_does_not_make_what_comes_look_old()
    {
        var clock = Create(trip: 20 * Millisecond);
        for (var sent = 0L; sent < 100 * Second; sent += Second)
        {
            var way = sent < 50 * Second ? 10 * Millisecond : 100 * Millisecond;
            clock.OnMeasured(2 * way, 2 * way);
            clock.OnSample(sent, Apart + sent + way);
            Assert.AreEqual(Apart + sent, clock.EndOf(sent, 0, Apart + sent + way), 500, $"after {sent / Second} s");
        }
    }

    [TestMethod]
    public void What_a_peer_states_of_the_future_kills_its_own_objects_and_keeps_none_alive()
    {
        var clock = Create(trip: 0);
        var now = Apart;
        clock.OnSample(0, now);
        clock.OnSample(PostInteger.MaxValue, now);
        Assert.AreEqual(now + Second, clock.EndOf(PostInteger.MaxValue, Second, now), 1, "its lifetime from its arrival on, no more");
        Assert.IsLessThan(now, clock.EndOf(0, 3600 * Second, now), "and what it sent before is over");
    }

    [TestMethod]
    public void No_value_overflows()
    {
        long[] values = [0, 1, Second, 1L << 53, 1L << 60, (1L << 60) + 1, PostInteger.MaxValue - 1, PostInteger.MaxValue];
        foreach (var first in values)
        {
            foreach (var second in values)
            {
                foreach (var lifetime in values)
                {
                    var clock = Create(trip: 50 * Millisecond);
                    clock.OnSample(first, Apart);
                    clock.OnSample(second, Apart + 1);
                    clock.OnAnotherWay();
                    clock.OnSample(second, Apart + 2);

                    // As exact as the numbers are: a sum that wraps round would be far off.
                    var exact = (Int128)second + Math.Min(lifetime, 1L << 60) + Apart - Math.Max(first, second);
                    Assert.IsLessThan(Second, (long)Int128.Abs(exact - clock.EndOf(second, lifetime, Apart + 2)), $"{first} {second} {lifetime}");
                }
            }
        }
    }

    private static PeerClock Create(long trip)
    {
        var clock = new PeerClock();
        clock.OnMeasured(trip, trip);
        return clock;
    }
}
