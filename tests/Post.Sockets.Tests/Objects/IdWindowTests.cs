using Post.Sockets.Objects;

namespace Post.Sockets.Tests.Objects;

[TestClass]
public sealed class IdWindowTests
{
    [TestMethod]
    public void It_remembers_what_two_sets_would()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            var window = new IdWindow(1 << 21);
            var resolved = new HashSet<long>();
            var failed = new HashSet<long>();
            long floor = 0;
            for (var step = 0; step < 2000; step++)
            {
                var id = floor + (random.Next(3) == 0 ? random.Next(60_000) : random.Next(300));
                if (random.Next(20) == 0)
                {
                    var last = id + random.Next(5000);
                    for (var each = id; each <= last; each++)
                    {
                        if (resolved.Add(each))
                        {
                            failed.Add(each);
                        }
                    }

                    window.FailRange(id, last);
                }
                else
                {
                    var fails = random.Next(2) == 0;
                    Assert.AreEqual(resolved.Add(id), window.Resolve(id, fails), $"seed {seed}, id {id}");
                    if (fails && window.IsFailed(id))
                    {
                        failed.Add(id);
                    }
                }

                while (resolved.Contains(floor))
                {
                    floor++;
                }

                Assert.AreEqual(floor, window.Floor, $"seed {seed}, step {step}");
                var probe = Math.Max(0, floor + random.Next(-10_000, 70_000));
                Assert.AreEqual(resolved.Contains(probe), window.IsResolved(probe), $"seed {seed}, step {step}, id {probe}");
                Assert.AreEqual(failed.Contains(probe), window.IsFailed(probe), $"seed {seed}, step {step}, id {probe}");
            }
        }
    }

    [TestMethod]
    public void A_range_claimed_again_and_again_costs_little()
    {
        var window = new IdWindow(1 << 21);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        for (var i = 0; i < 10_000; i++)
        {
            window.FailRange(1 + (i % 7), (1 << 21) - 1 - (i % 11));
        }

        Assert.AreEqual(0, window.Floor);
        Assert.IsLessThan(5, watch.Elapsed.TotalSeconds, "twenty billion ids claimed");
    }
}
