using CsCheck;
using Post.Quic.Testing;
using Post.Sockets.Protocol;

namespace Post.Sockets.Tests.Protocol;

/// <summary>Sets of ids as ranges behave as sets of ids, and stay in their canonical form.</summary>
[TestClass]
public sealed class IdRangeSetTests
{
    [TestMethod]
    public void A_set_of_ranges_holds_what_a_set_of_ids_would() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 120], Gen.Int[0, 9]).Array[1, 60].SampleSeeded(steps =>
        {
            var set = new IdRangeSet();
            var model = new SortedSet<long>();
            foreach ((int operation, int id, int more) in steps)
            {
                switch (operation)
                {
                    case 0:
                        set.Add(new IdRange(id, id + more));
                        model.UnionWith(Enumerable.Range(id, more + 1).Select(i => (long)i));
                        break;
                    case 1 when more == 0:
                        set.RemoveBelow(id);
                        model.RemoveWhere(i => i < id);
                        break;
                    default:
                        Assert.AreEqual(model.Add(id), set.Add(id));
                        break;
                }

                long[] ids = [.. set.Ranges.ToArray().SelectMany(range => Enumerable.Range((int)range.First, (int)range.Count).Select(i => (long)i))];
                CollectionAssert.AreEqual(model.ToArray(), ids);
                for (int i = 1; i < set.RangeCount; i++)
                {
                    Assert.IsGreaterThan(set.Ranges[i - 1].Last + 1, set.Ranges[i].First, "ranges that touch are one");
                }

                Assert.AreEqual(model.Contains(id), set.Contains(id));
            }
        }, iter: 3_000);

    [TestMethod]
    public void Ids_in_order_stay_one_range_and_take_no_more_memory()
    {
        // Once before: what the runtime allocates when it compiles the loop anew is not the set's.
        FillInOrder(new IdRangeSet());
        var set = new IdRangeSet();
        set.Add(0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        FillInOrder(set);
        Assert.AreEqual(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.AreEqual(1, set.RangeCount);
        Assert.AreEqual(new IdRange(0, 99_999), set.Ranges[0]);
    }

    private static void FillInOrder(IdRangeSet set)
    {
        for (long id = 1; id < 100_000; id++)
        {
            set.Add(id);
        }
    }
}
