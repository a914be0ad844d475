using Microsoft.Extensions.Logging;

namespace Post.Sockets.Tests.Associations;

/// <summary>With several handlers at a time: a dependent's handler starts after those of its antecedents have returned.</summary>
[TestClass]
public sealed class HandlerOrderTests
{
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    public void No_handler_starts_before_those_of_its_antecedents_have_returned(int seed) =>
        new PostWorld(seed, PostWorld.Link(20_000_000, 10, loss: 0.02))
        {
            ServerOptions = new() { HandlerConcurrency = 4, Incremental = IncrementalDelivery.Always },
        }.Run(async world =>
        {
            var random = new Random(seed);
            var returned = new HashSet<long>();
            var antecedents = new Dictionary<long, long[]>();
            var early = new List<string>();
            var running = 0;
            var most = 0;
            world.Server.Register<Received>(async received =>
            {
                var id = received.Object.Id;
                most = Math.Max(most, ++running);
                early.AddRange(antecedents[id].Where(antecedent => !returned.Contains(antecedent)).Select(antecedent => $"{id} before {antecedent}"));
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(30)), world.Network.Clock).ConfigureAwait(false);
                await received.Object.AsStream().CopyToAsync(Stream.Null).ConfigureAwait(false);
                running--;
                returned.Add(id);
                if (id % 10 == 3)
                {
                    throw new InvalidOperationException("A handler that throws has returned, too.");
                }
            });
            var sent = new List<SentObject>();
            for (var i = 0; i < 600; i++)
            {
                var mine = Enumerable.Range(0, random.Next(4)).Select(_ => Math.Max(0, i - 1 - random.Next(6))).Distinct().Where(j => j < i).ToArray();
                antecedents[i] = [.. mine.Select(static j => (long)j)];
                sent.Add(await world.Client.SendAsync(
                    new byte[random.Next(3) == 0 ? 20_000 : 300], new() { Antecedents = [.. mine.Select(j => sent[j])] }));
            }

            foreach (var item in sent)
            {
                (await item.Completion).EnsureAcked();
            }

            await world.DelayAsync(10_000);
            Assert.IsEmpty(early, $"seed {seed}: {string.Join(", ", early.Take(5))}");
            Assert.HasCount(600, returned);
            Assert.AreEqual(4, most, "the handlers did not overlap: the test shows nothing");
            Assert.AreEqual(0, world.Server.HeldBytes);
        });

    [TestMethod]
    [DataRow(HandlerOrder.AfterAntecedents, 0L, 1L)]
    [DataRow(HandlerOrder.Unordered, 1L, 0L)]
    public void The_order_of_handlers_is_the_applications_choice(HandlerOrder asked, long first, long second) =>
        new PostWorld(link: PostWorld.Link(delay: 5))
        {
            ServerOptions = new() { HandlerConcurrency = 2, HandlerOrder = asked },
        }.Run(async world =>
        {
            var order = new List<long>();
            world.Server.Register<Received>(async received =>
            {
                var id = received.Object.Id;
                await Task.Delay(TimeSpan.FromMilliseconds(id == 0 ? 100 : 1), world.Network.Clock).ConfigureAwait(false);
                order.Add(id);
            });
            var antecedent = world.Client.Send("a"u8);
            world.Client.Send("b"u8, new() { Antecedents = [antecedent] });
            await world.DelayAsync(500);
            CollectionAssert.AreEqual(new[] { first, second }, order);
        });

    [TestMethod]
    public void A_slow_handler_holds_any_number_of_dependents_within_the_budget_and_none_is_rejected() =>
        new PostWorld(link: PostWorld.Link(100_000_000, 5))
        {
            ServerOptions = new() { HandlerConcurrency = 3, MaxWaitingObjects = 10, ReceiveBudget = 512 * 1024, MaxWholeObjectSize = 64 * 1024 },
        }.Run(async world =>
        {
            var handled = 0;
            long most = 0;
            world.Server.Register<Received>(async received =>
            {
                handled++;
                if (received.Object.Id == 0)
                {
                    await Task.Delay(TimeSpan.FromSeconds(5), world.Network.Clock).ConfigureAwait(false);
                }
            });
            var slow = world.Client.Send("slow"u8);
            var sent = Enumerable.Range(0, 3000).Select(_ => world.Client.Send(new byte[1000], new() { Antecedents = [slow] })).ToArray();
            for (var i = 0; i < 45; i++)
            {
                await world.DelayAsync(100);
                most = Math.Max(most, world.Server.HeldBytes);
            }

            Assert.AreEqual(1, handled);
            Assert.IsGreaterThan(200_000, most, "the dependents did not come: the test shows nothing");
            Assert.IsLessThanOrEqualTo(512 * 1024, most);
            var free = world.Client.Send("free"u8);
            foreach (var item in sent.Append(free))
            {
                (await item.Completion).EnsureAcked();
            }

            Assert.AreEqual(3002, handled);
        });

    [TestMethod]
    public void What_requires_an_antecedent_that_failed_in_its_handlers_hands_fails_and_what_only_follows_it_waits_for_the_handler() =>
        new PostWorld(link: PostWorld.Link(1_000_000, 5))
        {
            ServerOptions = new() { HandlerConcurrency = 4, Incremental = IncrementalDelivery.Always },
        }.Run(async world =>
        {
            var log = new List<string>();
            world.Server.Register<Received>(async received =>
            {
                log.Add($"begin {received.Object.Id}");
                try
                {
                    await received.Object.AsStream().CopyToAsync(Stream.Null).ConfigureAwait(false);
                }
                catch (PostException)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(200), world.Network.Clock).ConfigureAwait(false);
                }

                log.Add($"end {received.Object.Id}");
            });
            var broken = world.Client.Send(new byte[500_000]);
            await world.DelayAsync(500);
            var requires = world.Client.Send("r"u8, new() { Antecedents = [broken] });
            var follows = world.Client.Send("f"u8, new() { Antecedents = [broken], AntecedentPolicy = AntecedentPolicy.Order });
            await world.DelayAsync(100);
            broken.Cancel();
            await world.DelayAsync(1000);
            Assert.AreEqual(ObjectOutcomeReason.AntecedentExpired, (await requires.Completion).Reason);
            (await follows.Completion).EnsureAcked();
            CollectionAssert.AreEqual(new[] { "begin 0", "end 0", "begin 2", "end 2" }, log);
        });

    [TestMethod]
    public void A_handler_that_asks_for_the_next_object_is_told_that_it_would_wait_for_ever() =>
        new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
        {
            Exception? thrown = null;
            world.Server.Register<HandlerFailed>(failed => thrown = failed.Exception);
            using (world.Server.Register<Received>(async _ => await world.Server.ReceiveAsync().ConfigureAwait(false)))
            {
                await world.Client.Send("x"u8).Completion;
                await world.DelayAsync(100);
                var error = Assert.IsInstanceOfType<InvalidOperationException>(thrown);
                Assert.Contains("handler of Received", error.Message);
                using var registration = world.Server.Register<StreamOpened>(_ => { });
                await FailsAsync<InvalidOperationException>(world.Server.AcceptStreamAsync().AsTask());
            }

            world.Client.Send("y"u8);
            (await world.Server.ReceiveAsync()).Dispose();
        });

    [TestMethod]
    [DataRow(1, false)]
    [DataRow(4, true)]
    public void A_handler_that_waits_for_what_only_comes_after_it_is_warned_of_with_the_remedy(int concurrency, bool dependent) =>
        new PostWorld(link: PostWorld.Link(delay: 5))
        {
            Logs = new(),
            ServerOptions = new() { HandlerConcurrency = concurrency },
        }.Run(async world =>
        {
            var second = new TaskCompletionSource();
            world.Server.Register<Received>(async received =>
            {
                if (received.Object.Id == 0)
                {
                    await second.Task.ConfigureAwait(false);
                }
            });
            var first = world.Client.Send("x"u8);
            world.Client.Send("y"u8, new() { Antecedents = dependent ? [first] : [] });
            await world.DelayAsync(9_000);
            Assert.IsEmpty(Warnings());
            await world.DelayAsync(2_000);
            var warning = Warnings().Single();
            Assert.Contains("HandlerConcurrency", warning);
            Assert.Contains("Keep", warning);
            await world.DelayAsync(100_000);
            Assert.HasCount(1, Warnings(), "once is enough");
            world.Network.Clock.CreateTimer(_ => second.SetResult(), null, TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
            await world.DelayAsync(1_000);

            string[] Warnings() => [.. world.Logs!.Entries.Where(static entry => entry.Level == LogLevel.Warning).Select(static entry => entry.Text)];
        });

    [TestMethod]
    public void A_handler_that_works_long_while_nothing_waits_is_not_warned_of() => new PostWorld(link: PostWorld.Link(delay: 5))
    {
        Logs = new(),
    }.Run(async world =>
    {
        world.Server.Register<Received>(async _ => await Task.Delay(TimeSpan.FromMinutes(1), world.Network.Clock).ConfigureAwait(false));
        await world.Client.Send("x"u8).Completion;
        await world.DelayAsync(50_000);
        world.Client.Send("y"u8);
        await world.DelayAsync(60_000);
        Assert.IsFalse(world.Logs!.Entries.Any(static entry => entry.Level == LogLevel.Warning));
    });

    private static async Task FailsAsync<TException>(Task task)
        where TException : Exception
    {
        try
        {
            await task;
            Assert.Fail($"it did not throw {typeof(TException).Name}");
        }
        catch (TException)
        {
            // As it must.
        }
    }
}
