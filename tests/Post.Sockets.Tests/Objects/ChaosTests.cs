using System.Security.Cryptography;
using Post.Sockets.Transport;
using Post.Sockets.Transport.InMemory;

namespace Post.Sockets.Tests.Objects;

/// <summary>Random worlds in virtual time, and the promises that hold in all of them.</summary>
[TestClass]
public sealed class ChaosTests
{
    private const int Objects = 120;

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void Every_object_ends_exactly_once_whatever_happens()
    {
        var ends = new Dictionary<(ObjectEnd, ObjectEndReason), int>();
        for (var seed = 0; seed < 100; seed++)
        {
            try
            {
                Run(seed, ends);
            }
            catch (Exception exception)
            {
                throw new AssertFailedException($"seed {seed}: {exception.Message}", exception);
            }
        }

        foreach (var (end, count) in ends.OrderBy(pair => pair.Key.ToString()))
        {
            TestContext.WriteLine($"{end}: {count}");
        }

        // A world in which nothing ever goes wrong would show nothing.
        Assert.IsTrue(ends.Keys.Select(key => key.Item1).Distinct().Count() == Enum.GetValues<ObjectEnd>().Length);
    }

    private static void Run(int seed, Dictionary<(ObjectEnd End, ObjectEndReason Reason), int> ends)
    {
        var random = new Random(seed);
        var capabilities = InMemoryNetwork.DefaultCapabilities;
        foreach (var optional in new[]
        {
            TransportCapabilities.Datagrams, TransportCapabilities.Priorities, TransportCapabilities.WritesCompleteWhenSent,
            TransportCapabilities.Statistics, TransportCapabilities.ReliableReset,
        })
        {
            capabilities &= random.Next(4) == 0 ? ~optional : ~TransportCapabilities.None;
        }

        var link = new InMemoryLinkSettings
        {
            BitsPerSecond = random.Next(200_000, 20_000_000),
            Delay = TimeSpan.FromMilliseconds(random.Next(1, 150)),
            Jitter = TimeSpan.FromMilliseconds(random.Next(20)),
            Loss = random.Next(3) == 0 ? 0 : random.NextDouble() * 0.2,
            Reorder = random.NextDouble() * 0.2,
        };
        new PostWorld(seed, link, capabilities)
        {
            ServerOptions = new()
            {
                Incremental = (IncrementalDelivery)random.Next(3),
                MaxWholeObjectSize = 60_000,
                ReceiveBudget = 400_000,
                ReceiptLevel = (ReceiptLevel)random.Next(2),
                HandlerConcurrency = random.Next(1, 4),
                MaxWaitingObjects = random.Next(5, 100),
            },
            ClientOptions = new() { DrainTimeout = TimeSpan.FromMinutes(5), ResumptionTimeout = TimeSpan.Zero },
        }.Run(world => PlayAsync(world, random, ends), TimeSpan.FromHours(3));
    }

    private static async Task PlayAsync(PostWorld world, Random random, Dictionary<(ObjectEnd End, ObjectEndReason Reason), int> ends)
    {
        var clock = world.Network.Clock;
        var sent = new List<SentObject>();
        var sentAt = new Dictionary<long, TimeSpan>();
        var hashes = new Dictionary<long, byte[]>();
        var delivered = new Dictionary<long, (int Place, TimeSpan At)>();
        var completions = new Dictionary<long, int>();
        var slow = random.Next(3) == 0;
        world.Client.Register<ObjectEnded>(e => completions[e.Object.Id] = completions.GetValueOrDefault(e.Object.Id) + 1);
        world.Server.Register<Received>(async received =>
        {
            var item = received.Object;
            Assert.IsTrue(item.RemainingLifetime != TimeSpan.Zero, $"{item.Id} delivered after its lifetime");
            if (!item.IsIncremental)
            {
                CollectionAssert.AreEqual(hashes[item.Id], SHA256.HashData(item.ToArray()), $"bytes of {item.Id}");
                Assert.IsTrue(delivered.TryAdd(item.Id, (delivered.Count, clock.Elapsed)), $"{item.Id} delivered twice");
            }
            else
            {
                try
                {
                    using var all = new MemoryStream();
                    await item.AsStream().CopyToAsync(all).ConfigureAwait(false);
                    CollectionAssert.AreEqual(hashes[item.Id], SHA256.HashData(all.ToArray()), $"bytes of {item.Id}");
                    Assert.IsTrue(delivered.TryAdd(item.Id, (delivered.Count, clock.Elapsed)), $"{item.Id} delivered twice");
                }
                catch (PostException)
                {
                    // Broken off: it must not count as delivered.
                }
            }

            if (slow)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), clock).ConfigureAwait(false);
            }
        });
        var failures = new List<Exception>();
        world.Server.Register<HandlerFailed>(f => failures.Add(f.Exception));

        for (var i = 0; i < Objects; i++)
        {
            var bytes = new byte[random.Next(4) switch { 0 => random.Next(10), 1 => random.Next(1300), 2 => random.Next(30_000), _ => random.Next(90_000) }];
            random.NextBytes(bytes);
            var properties = new ObjectProperties
            {
                Lifetime = random.Next(2) == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(random.Next(1, 3000)),
                Niceness = random.Next(6),
                Antecedents = [.. Enumerable.Range(0, random.Next(3)).Where(_ => sent.Count > 0 && random.Next(2) == 0).Select(_ => sent[^random.Next(1, Math.Min(sent.Count, 20) + 1)])],
                AntecedentPolicy = (AntecedentPolicy)random.Next(2),
                Immediate = random.Next(4) == 0,
                Retransmit = random.Next(5) != 0,
            };
            hashes[world.Client.PendingObjects >= 0 ? i : 0] = SHA256.HashData(bytes);
            var item = random.Next(4) switch
            {
                0 => world.Client.Send(new MemoryStream(bytes), properties),
                _ => world.Client.Send(bytes, properties),
            };
            Assert.AreEqual(i, item.Id);
            sent.Add(item);
            sentAt[item.Id] = clock.Elapsed;
            if (random.Next(15) == 0)
            {
                sent[random.Next(sent.Count)].Cancel();
            }

            if (random.Next(15) == 0)
            {
                sent[random.Next(sent.Count)].Reprioritize(random.Next(6));
            }

            if (random.Next(3) == 0)
            {
                await world.DelayAsync(random.Next(40));
            }
        }

        switch (random.Next(6))
        {
            case 0:
                await world.DelayAsync(random.Next(1000));
                world.Client.Abort();
                break;
            case 1:
                await world.DelayAsync(random.Next(1000));
                world.Server.Abort();
                break;
            case 2:
                await world.DelayAsync(random.Next(1000));
                world.Wire.Break();
                break;
            case 3:
                await world.Server.CloseAsync();
                break;
            default:
                await world.Client.CloseAsync();
                break;
        }

        await world.Client.Completion;
        foreach (var item in sent)
        {
            await item.Completion;
        }

        await world.DelayAsync(2000);
        Assert.IsEmpty(failures, failures.FirstOrDefault()?.ToString() ?? string.Empty);
        Assert.AreEqual(0, world.Client.PendingObjects);
        Assert.AreEqual(0, world.Client.QueuedBytes);
        foreach (var item in sent)
        {
            var receipt = item.Receipt!;
            Assert.AreEqual(1, completions[item.Id], $"{item.Id} ended {completions[item.Id]} times");
            var key = (receipt.End, receipt.Reason);
            lock (ends)
            {
                ends[key] = ends.GetValueOrDefault(key) + 1;
            }

            if (receipt.IsAcked)
            {
                Assert.IsTrue(delivered.ContainsKey(item.Id), $"{item.Id} acked and never delivered");
            }

            if (!delivered.TryGetValue(item.Id, out var mine))
            {
                continue;
            }

            foreach (var antecedent in item.Properties.Antecedents)
            {
                if (delivered.TryGetValue(antecedent.Id, out var theirs))
                {
                    Assert.IsLessThan(mine.Place, theirs.Place, $"{item.Id} before its antecedent {antecedent.Id}");
                }
                else
                {
                    Assert.AreEqual(AntecedentPolicy.Order, item.Properties.AntecedentPolicy, $"{item.Id} without the {antecedent.Id} it requires");
                }
            }
        }
    }
}
