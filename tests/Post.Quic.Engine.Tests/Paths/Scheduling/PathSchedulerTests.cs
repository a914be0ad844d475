using Post.Quic.Engine.Paths.Scheduling;

namespace Post.Quic.Engine.Tests.Paths.Scheduling;

/// <summary>Single decisions of the policies.</summary>
[TestClass]
public sealed class PathSchedulerTests
{
    private const long Now = 1_000_000;

    private static readonly SendDemand Bulk = new(SendKind.Bulk, 10_000_000);

    private static readonly SendDemand Urgent = new(SendKind.Urgent, 10_000_000);

    private static readonly SendDemand Repair = new(SendKind.Repair, 10_000_000);

    private static IEnumerable<IPathScheduler> All =>
    [
        new MinimumRoundTripScheduler(), new EarliestCompletionScheduler(), new InteractiveScheduler(), new BackupScheduler(),
        new RedundantScheduler(),
    ];

    [TestMethod]
    public void Every_policy_uses_a_path_that_is_alone()
    {
        foreach (IPathScheduler policy in All)
        {
            foreach (SendDemand demand in (SendDemand[])[Bulk, Urgent, Repair])
            {
                Assert.AreEqual(0, policy.Choose([Path(7, 50)], demand, Now), policy.GetType().Name);
                Assert.IsLessThan(0, policy.Choose([Path(7, 50) with { CanSend = false }], demand, Now), policy.GetType().Name);
            }
        }
    }

    [TestMethod]
    public void A_backup_carries_nothing_while_another_path_works_even_where_that_is_full()
    {
        foreach (IPathScheduler policy in All)
        {
            PathView full = Path(1, 200) with { CanSend = false, ReadyAt = Now + 100_000 };
            Assert.AreEqual(1, policy.Choose([Path(0, 10) with { IsBackup = true }, Path(1, 200)], Urgent, Now), policy.GetType().Name);
            Assert.IsLessThan(0, policy.Choose([Path(0, 10) with { IsBackup = true }, full], Bulk, Now), policy.GetType().Name);
        }
    }

    [TestMethod]
    public void A_backup_carries_everything_once_no_other_path_works()
    {
        foreach (IPathScheduler policy in All)
        {
            PathView[] paths = [Path(0, 10) with { IsSuspect = true }, Path(1, 200) with { IsBackup = true }];
            Assert.AreEqual(1, policy.Choose(paths, Bulk, Now), policy.GetType().Name);
            Assert.AreEqual(1, policy.Choose(paths, Repair, Now), policy.GetType().Name);
        }
    }

    [TestMethod]
    public void Suspect_paths_are_tried_where_there_is_nothing_else()
    {
        foreach (IPathScheduler policy in All)
        {
            PathView[] paths = [Path(0, 10) with { IsSuspect = true, IsBackup = true }, Path(1, 200) with { IsSuspect = true }];
            Assert.AreEqual(1, policy.Choose(paths, Bulk, Now), policy.GetType().Name);
        }
    }

    [TestMethod]
    public void Everything_stays_on_one_path_until_it_fails()
    {
        var policy = new BackupScheduler();
        Assert.AreEqual(1, policy.Choose([Path(0, 30), Path(1, 20)], Bulk, Now));
        Assert.AreEqual(1, policy.Choose([Path(0, 10), Path(1, 200)], Urgent, Now), "a better round trip is no reason to change");
        Assert.IsLessThan(0, policy.Choose([Path(0, 10), Path(1, 200) with { CanSend = false }], Bulk, Now), "it waits rather");
        Assert.AreEqual(0, policy.Choose([Path(0, 10), Path(1, 20) with { IsSuspect = true }], Bulk, Now));
        Assert.AreEqual(0, policy.Choose([Path(0, 90), Path(1, 20)], Bulk, Now), "the one that failed is not returned to");
        Assert.AreEqual(0, policy.Choose([Path(3, 90)], Bulk, Now), "the path is gone");
    }

    [TestMethod]
    public void Bulk_leaves_the_backup_for_a_path_that_works_again()
    {
        var policy = new InteractiveScheduler();
        Assert.AreEqual(0, policy.Choose([Path(0, 30) with { IsBackup = true }], Bulk, Now));
        Assert.AreEqual(1, policy.Choose([Path(0, 30) with { IsBackup = true }, Path(1, 90)], Bulk, Now));
    }

    [TestMethod]
    public void What_is_urgent_or_repaired_waits_for_a_path_that_is_there_earlier_all_the_same()
    {
        foreach (IPathScheduler policy in (IPathScheduler[])[new EarliestCompletionScheduler(), new InteractiveScheduler()])
        {
            PathView soon = Path(0, 20) with { CanSend = false, ReadyAt = Now + 5_000 };
            PathView late = Path(0, 20) with { CanSend = false, ReadyAt = Now + 115_000 };
            Assert.IsLessThan(0, policy.Choose([soon, Path(1, 200)], Urgent, Now));
            Assert.IsLessThan(0, policy.Choose([soon, Path(1, 200)], Repair, Now));
            Assert.AreEqual(1, policy.Choose([late, Path(1, 200)], Urgent, Now));
        }
    }

    [TestMethod]
    public void The_end_of_a_transfer_waits_for_the_fast_path_and_the_middle_does_not()
    {
        PathView[] paths = [Path(0, 20) with { CanSend = false, ReadyAt = Now + 5_000 }, Path(1, 200)];
        Assert.IsLessThan(0, new EarliestCompletionScheduler().Choose(paths, new SendDemand(SendKind.Bulk, 100_000), Now));
        Assert.AreEqual(1, new EarliestCompletionScheduler().Choose(paths, new SendDemand(SendKind.Bulk, 1_000_000), Now));
    }

    [TestMethod]
    public void Nobody_waits_without_end_for_a_path_that_fell_silent()
    {
        foreach (IPathScheduler policy in (IPathScheduler[])[new EarliestCompletionScheduler(), new InteractiveScheduler()])
        {
            PathView[] paths = [Path(0, 20) with { CanSend = false, ReadyAt = Now }, Path(1, 200)];
            Assert.IsLessThan(0, policy.Choose(paths, Urgent, Now + 1_000));
            Assert.AreEqual(1, policy.Choose(paths, Urgent, Now + 150_000));
            if (policy is EarliestCompletionScheduler)
            {
                Assert.AreEqual(1, policy.Choose(paths, new SendDemand(SendKind.Bulk, 1_200), Now + 150_000));
            }
        }
    }

    [TestMethod]
    public void Of_two_paths_that_are_alike_the_steadier_one_carries_what_is_urgent() =>
        Assert.AreEqual(
            1,
            new InteractiveScheduler().Choose([Path(0, 50) with { RoundTripVariation = 20_000 }, Path(1, 60)], Urgent, Now));

    [TestMethod]
    public void A_slow_path_that_is_acknowledged_by_a_fast_one_is_not_taken_for_faster_than_it_is()
    {
        // 100 ms there, 10 ms back by the other path.
        PathView slow = Path(1, 110) with { OneWay = 100_000 };
        PathView fast = Path(0, 20) with { CanSend = false, ReadyAt = Now + 60_000 };
        Assert.IsLessThan(0, new InteractiveScheduler().Choose([fast, slow], Urgent, Now));
        Assert.AreEqual(1, new InteractiveScheduler().Choose([fast, slow with { OneWay = 55_000 }], Urgent, Now));
    }

    [TestMethod]
    public void A_fast_path_in_slow_start_is_waited_for_as_what_it_will_be()
    {
        PathView fast = Path(0, 20) with { CanSend = false, ReadyAt = Now + 20_000, Window = 12_000, Rate = 600_000 };
        SendDemand rest = new(SendKind.Bulk, 90_000);
        Assert.AreEqual(1, new EarliestCompletionScheduler().Choose([fast, Path(1, 200)], rest, Now));
        Assert.IsLessThan(0, new EarliestCompletionScheduler().Choose([fast with { IsGrowing = true }, Path(1, 200)], rest, Now));
    }

    [TestMethod]
    public void No_estimate_is_too_large_to_decide_by()
    {
        foreach (IPathScheduler policy in All)
        {
            PathView blocked = Path(0, 20) with { CanSend = false, ReadyAt = long.MaxValue / 4 };
            PathView idle = Path(1, 20) with { RoundTrip = long.MaxValue / 8, Rate = 0 };
            _ = policy.Choose([blocked, idle], new SendDemand(SendKind.Bulk, long.MaxValue), Now);
            _ = policy.Choose([blocked with { Rate = 0 }, idle], Bulk, Now);
        }
    }

    private static PathView Path(uint id, long milliseconds) => new()
    {
        PathId = id,
        CanSend = true,
        ReadyAt = Now,
        RoundTrip = milliseconds * 1_000,
        OneWay = milliseconds * 500,
        RoundTripVariation = milliseconds * 100,
        Window = 100_000,
        Rate = 2_500_000,
        DatagramSize = 1_200,
    };
}
