using CsCheck;
using Post.Quic.Engine.Paths.Scheduling;
using Post.Quic.Testing;

namespace Post.Quic.Engine.Tests.Paths.Scheduling;

/// <summary>What the policies make of links, in a model of them.</summary>
[TestClass]
public sealed class SchedulingWorlds
{
    private const long Megabit = 125_000;

    [TestMethod]
    public void Two_equal_links_give_their_sum()
    {
        const long Bytes = 20_000_000;
        foreach (IPathScheduler policy in (IPathScheduler[])[new EarliestCompletionScheduler(), new MinimumRoundTripScheduler()])
        {
            long taken = new SchedulingModel(policy, Equal(0), Equal(1)).Transfer(Bytes);
            Assert.IsLessThan(Bytes * 1_000_000 / (40 * Megabit) / 0.95, taken, policy.GetType().Name);
        }
    }

    /// <summary>20 Mbit/s and 20 ms beside 5 Mbit/s and 200 ms.</summary>
    [TestMethod]
    public void A_slow_link_never_makes_a_transfer_later_than_the_fast_one_alone()
    {
        for (long bytes = 1_000; bytes < 40_000_000; bytes += 1 + (bytes / 40))
        {
            long alone = new SchedulingModel(new EarliestCompletionScheduler(), Fast(0)).Transfer(bytes);
            long both = new SchedulingModel(new EarliestCompletionScheduler(), Fast(0), Slow(1)).Transfer(bytes);
            Assert.IsLessThanOrEqualTo(alone + 1_000, both, $"{bytes} bytes");
        }
    }

    [TestMethod]
    public void Much_data_gets_the_sum_of_unequal_links()
    {
        const long Bytes = 40_000_000;
        long both = new SchedulingModel(new EarliestCompletionScheduler(), Fast(0), Slow(1)).Transfer(Bytes);
        Assert.IsLessThan(Bytes * 1_000_000 / (25 * Megabit) / 0.95, both);
    }

    [TestMethod]
    public void No_link_beside_others_makes_a_transfer_later() =>
        Gen.Select(
            Gen.Select(Gen.Long[1, 100], Gen.Long[1, 300]).Array[2, 4],
            Gen.Long[1_000, 10_000_000]).SampleSeeded(sample =>
        {
            ((long Rate, long Delay)[] links, long bytes) = sample;
            ModelPath Link(int i) => new((uint)i, links[i].Rate * Megabit, links[i].Delay * 1_000);
            long best = Enumerable.Range(0, links.Length)
                .Min(i => new SchedulingModel(new EarliestCompletionScheduler(), Link(i)).Transfer(bytes));
            long all = new SchedulingModel(
                new EarliestCompletionScheduler(), [.. Enumerable.Range(0, links.Length).Select(Link)]).Transfer(bytes);
            return all <= (best * 21 / 20) + 2_000;
        });

    [TestMethod]
    public void Urgent_data_beside_bulk_is_never_later_than_over_the_better_link_alone()
    {
        long alone = Percentile99(new SchedulingModel(new EarliestCompletionScheduler(), Fast(0)).Interrupt(13_000, 500));
        foreach (IPathScheduler policy in (IPathScheduler[])[new EarliestCompletionScheduler(), new InteractiveScheduler()])
        {
            long both = Percentile99(new SchedulingModel(policy, Fast(0), Slow(1)).Interrupt(13_000, 500));
            Assert.IsLessThanOrEqualTo(alone + 500, both, policy.GetType().Name);
        }
    }

    [TestMethod]
    public void Urgent_data_takes_the_idle_link_where_the_one_with_bulk_is_congested()
    {
        // Bulk makes a queue on its link; the other one is a little longer and empty.
        ModelPath bulk = new(0, Megabit, 20_000);
        ModelPath idle = new(1, Megabit, 21_000);
        long both = Percentile99(new SchedulingModel(new InteractiveScheduler(), bulk, idle).Interrupt(50_000, 200));
        Assert.IsLessThan(25_000, both);
    }

    private static ModelPath Equal(uint id) => new(id, 20 * Megabit, 10_000);

    private static ModelPath Fast(uint id) => new(id, 20 * Megabit, 10_000);

    private static ModelPath Slow(uint id) => new(id, 5 * Megabit, 100_000);

    private static long Percentile99(List<long> delays)
    {
        delays.Sort();
        return delays[delays.Count * 99 / 100];
    }
}
