using Post.Sockets.Objects;
using Post.Sockets.Protocol;

namespace Post.Sockets.Tests.Objects;

[TestClass]
public sealed class ReceiptLedgerTests
{
    [TestMethod]
    public void It_says_what_was_recorded_and_gives_it_as_ranges()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var ledger = new ReceiptLedger();
            var known = new SortedDictionary<long, ReceiptStatus>();
            for (var i = 0; i < 3000; i++)
            {
                var id = random.Next(20_000);
                if (!known.ContainsKey(id))
                {
                    known[id] = (ReceiptStatus)(random.Next(20) == 0 ? random.Next(7) : 0);
                    ledger.Record(id, known[id]);
                }
            }

            for (var id = 0; id < 20_000; id++)
            {
                Assert.AreEqual(known.TryGetValue(id, out var status) ? status : null, ledger.Find(id), $"seed {seed}, id {id}");
            }

            var from = random.Next(20_000);
            var listed = ledger.From(from).SelectMany(range =>
                Enumerable.Range(0, (int)(range.Ids.Last - range.Ids.First + 1)).Select(i => (range.Ids.First + i, range.Status))).ToArray();
            CollectionAssert.AreEqual(known.Where(pair => pair.Key >= from).Select(pair => (pair.Key, pair.Value)).ToArray(), listed);
        }
    }

    [TestMethod]
    public void A_million_objects_that_were_delivered_cost_next_to_nothing()
    {
        var ledger = new ReceiptLedger();
        for (var id = 0L; id < 3_000_000; id++)
        {
            ledger.OnSeen(id + 1);
            ledger.Record(id, ReceiptStatus.Delivered);
        }

        Assert.IsLessThanOrEqualTo(1, ledger.FullPages);
        Assert.AreEqual(ReceiptStatus.Delivered, ledger.Find(2_999_999));
        Assert.IsNull(ledger.Find(1_000_000), "its sender cannot wait for that one any more");
        var ranges = ledger.From(0).ToArray();
        Assert.AreEqual(2_999_999, ranges[^1].Ids.Last);
        Assert.IsGreaterThan(2_999_999 - ProtocolLimits.IdWindow - 8192, ranges[0].Ids.First);
    }

    [TestMethod]
    public void The_worst_that_a_peer_can_do_is_bounded()
    {
        var ledger = new ReceiptLedger();
        for (var id = 0L; id < 5_000_000; id++)
        {
            ledger.OnSeen(id + 1);
            ledger.Record(id, (ReceiptStatus)(id % 7));
        }

        Assert.IsLessThanOrEqualTo((int)(ProtocolLimits.IdWindow / 4096) + 1, ledger.FullPages, "half a mebibyte");
        ledger.OnSeen(1L << 40);
        Assert.AreEqual(0, ledger.FullPages);
        Assert.IsEmpty(ledger.From(0).ToArray());
    }

    [TestMethod]
    public void A_status_that_comes_late_opens_a_page_again()
    {
        var ledger = new ReceiptLedger();
        for (var id = 0; id < 4096; id++)
        {
            ledger.Record(id, ReceiptStatus.Processed);
        }

        Assert.AreEqual(0, ledger.FullPages);
        ledger.Record(7, ReceiptStatus.Refused);
        Assert.AreEqual(1, ledger.FullPages);
        Assert.AreEqual(ReceiptStatus.Refused, ledger.Find(7));
        Assert.AreEqual(ReceiptStatus.Processed, ledger.Find(8));
    }
}
