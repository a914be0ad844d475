using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Resumption;

/// <summary>Unfinished objects go on from what the receiver has when their connection is lost; nothing moves twice that has arrived.</summary>
[TestClass]
public sealed class OffsetTests
{
    private const int Length = 1_000_000;

    private static readonly byte[] Bytes = PostWorld.Bytes(Length);

    [TestMethod]
    [DataRow(IncrementalDelivery.Never)]
    [DataRow(IncrementalDelivery.Always)]
    public void An_object_goes_on_from_what_the_receiver_has_over_any_number_of_connections(IncrementalDelivery delivery)
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            var options = new AssociationOptions { Incremental = delivery };
            new PostWorld(seed, PostWorld.Link(random.Next(1, 20) * 1_000_000, random.Next(1, 60), seed % 3 * 0.01)) { ClientOptions = options, ServerOptions = options }.Run(async world =>
            {
                var fromServer = random.Next(2) == 0;
                var (from, to) = fromServer ? (world.Server, world.Client) : (world.Client, world.Server);
                var ends = 0;
                from.Register<ObjectCompleted>(_ => ends++);
                var got = 0;
                to.Register<Received>(async received =>
                {
                    using var all = new MemoryStream();
                    await received.Object.AsStream().CopyToAsync(all);
                    Assert.IsTrue(all.ToArray().AsSpan().SequenceEqual(Bytes), $"seed {seed}");
                    got++;
                });
                var sent = Send(from, random.Next(4));
                var losses = random.Next(1, 7);
                long moved = 0;
                for (var i = 0; i < losses && !sent.Completion.IsCompleted; i++)
                {
                    await world.DelayAsync(random.Next(1, 500));
                    moved += await LoseAsync(world, fromServer, random.Next(2) == 0 ? TransportErrorReason.TimedOut : TransportErrorReason.ConnectionReset);
                }

                (await sent.Completion).EnsureAcked();
                moved += Moved(world.Wire, fromServer);
                await world.DelayAsync(1000);
                Assert.AreEqual(1, got, $"seed {seed}: deliveries");
                Assert.AreEqual(1, ends, $"seed {seed}: ends");
                Assert.AreEqual(Length, sent.BytesSent);

                // What was in flight when a connection was lost had not arrived: a window for each.
                Assert.IsLessThan(Length * (1.15 + (losses * 0.25)), (double)moved, $"seed {seed}: {losses} losses");
                Assert.AreEqual(0, to.HeldBytes);
            });
        }
    }

    [TestMethod]
    [DataRow(IncrementalDelivery.Never)]
    [DataRow(IncrementalDelivery.Always)]
    public void A_slow_link_moves_each_byte_about_once(IncrementalDelivery delivery) => new PostWorld(link: PostWorld.Link(2_000_000, 10))
    {
        ServerOptions = new() { Incremental = delivery },
    }.Run(async world =>
    {
        world.Server.Register<Received>(async received => await received.Object.AsStream().CopyToAsync(Stream.Null));
        var sent = world.Client.Send(Bytes);
        long moved = 0;
        for (var i = 0; i < 8; i++)
        {
            await world.DelayAsync(500);
            moved += await LoseAsync(world);
        }

        (await sent.Completion).EnsureAcked();
        moved += Moved(world.Wire, fromServer: false);
        Assert.IsLessThan(Length * 1.4, (double)moved, "from the beginning it would never end: each connection carries an eighth");
    });

    [TestMethod]
    public void What_is_kept_counts_against_the_budget_that_the_sender_sees() => new PostWorld(link: PostWorld.Link(8_000_000, 20))
    {
        ServerOptions = new() { ReceiveBudget = 400_000, MaxWholeObjectSize = 100_000 },
    }.Run(async world =>
    {
        var got = new List<long>();
        world.Server.Register<Received>(received => got.Add(received.Object.Id));
        var sent = new List<SentObject>();
        for (var round = 0; round < 10; round++)
        {
            sent.AddRange(Enumerable.Range(0, 4).Select(i => world.Client.Send(new byte[90_000], new() { Niceness = 100 - round })));
            await world.DelayAsync(60);
            Assert.IsLessThanOrEqualTo(400_000, world.Server.HeldBytes);
            await LoseAsync(world);
        }

        foreach (var item in sent)
        {
            Assert.IsTrue((await item.Completion).IsAcked, $"{item.Id} ended {item.Receipt}");
        }

        CollectionAssert.AreEquivalent(sent.Select(item => item.Id).ToArray(), got);
    });

    [TestMethod]
    public void Objects_that_wait_for_antecedents_keep_what_came_of_them() => new PostWorld(link: PostWorld.Link(4_000_000, 20))
    {
        ServerOptions = new() { ReceiveBudget = 4_400_000, MaxWholeObjectSize = Length, MaxWaitingObjects = 2 },
    }.Run(async world =>
    {
        var got = new List<long>();
        world.Server.Register<Received>(received => got.Add(received.Object.Id));
        var chain = new List<SentObject>();
        for (var i = 0; i < 6; i++)
        {
            chain.Add(world.Client.Send(new byte[250_000], new() { Antecedents = [.. chain.TakeLast(2)] }));
        }

        long moved = 0;
        for (var i = 0; i < 12; i++)
        {
            await world.DelayAsync(250);
            moved += await LoseAsync(world);
        }

        foreach (var item in chain)
        {
            (await item.Completion).EnsureAcked();
        }

        moved += Moved(world.Wire, fromServer: false);
        CollectionAssert.AreEqual(chain.Select(item => item.Id).ToArray(), got);
        Assert.IsLessThan(1_500_000 * 1.8, (double)moved);
    });

    [TestMethod]
    public void What_is_under_way_does_not_wait_for_an_antecedent_that_has_no_room_until_it_is_through() => new PostWorld(link: PostWorld.Link(1_000_000, 20))
    {
        ServerOptions = new()
        {
            ReceiveBudget = 400_000,
            MaxWholeObjectSize = 90_000,
            ReceiptLevel = ReceiptLevel.Processed,
            Incremental = IncrementalDelivery.WhenLarge,
        },
    }.Run(async world =>
    {
        ReceivedObject? kept = null;
        var got = new List<long>();
        world.Server.Register<Received>(async received =>
        {
            kept ??= received.Object.Keep();
            if (received.Object.IsIncremental)
            {
                await received.Object.AsStream().CopyToAsync(Stream.Null);
            }

            got.Add(received.Object.Id);
        });

        // The handler has it and has not dealt with it: it has no end.
        var antecedent = world.Client.Send(new byte[50_000]);
        await world.DelayAsync(1000);
        var underWay = world.Client.Send(new byte[95_000], new() { Antecedents = [antecedent] });
        await world.DelayAsync(100);
        Assert.IsFalse(underWay.State >= SentObjectState.Sent);

        // They are whole, and wait for the handler, which reads what is under way.
        var urgent = new[] { world.Client.Send(new byte[80_000], new() { Niceness = 0 }), world.Client.Send(new byte[80_000], new() { Niceness = 0 }) };
        while (world.Server.HeldBytes < 160_512)
        {
            await world.DelayAsync(5);
        }

        Assert.IsFalse(underWay.State >= SentObjectState.Sent);
        await LoseAsync(world);
        (await underWay.Completion).EnsureAcked();
        foreach (var item in urgent)
        {
            (await item.Completion).EnsureAcked();
        }

        Assert.IsFalse(antecedent.Completion.IsCompleted);
        kept!.MarkProcessed();
        (await antecedent.Completion).EnsureAcked();
    });

    [TestMethod]
    public void A_kept_object_expires_in_the_gap_is_canceled_in_it_or_rejected_in_it() => new PostWorld(link: PostWorld.Link(2_000_000, 20))
    {
        ServerOptions = new() { Incremental = IncrementalDelivery.WhenLarge, MaxWholeObjectSize = 300_000 },
    }.Run(async world =>
    {
        var expires = world.Client.Send(new byte[250_000], new() { Lifetime = TimeSpan.FromSeconds(3) });
        var canceled = world.Client.Send(new byte[250_000]);
        var rejected = world.Client.Send(new byte[350_000]);
        var goesOn = world.Client.Send(new byte[250_000]);
        var taking = world.Server.ReceiveAsync().AsTask();
        await world.DelayAsync(1500);
        var part = await taking;
        Assert.IsGreaterThan(150_000, world.Server.HeldBytes);
        world.Network.IsUp = false;
        world.Wire.Break();
        await world.DelayAsync(100);
        Assert.IsGreaterThan(150_000, world.Server.HeldBytes, "what came is kept");
        canceled.Cancel();
        part.Reject();
        await world.DelayAsync(3000);
        world.Network.IsUp = true;
        Assert.AreEqual(ObjectOutcome.Expired, (await expires.Completion).Outcome);
        Assert.AreEqual(ObjectOutcome.Canceled, (await canceled.Completion).Outcome);
        Assert.AreEqual(rejected.Id, part.Id);
        Assert.AreEqual(ObjectOutcomeReason.Refused, (await rejected.Completion).Reason);
        world.Server.Register<Received>(_ => { });
        Assert.IsTrue((await goesOn.Completion).IsAcked);
        await world.DelayAsync(100);
        Assert.AreEqual(0, world.Server.HeldBytes);
        Assert.AreEqual(0, world.Client.PendingObjects);
    });

    [TestMethod]
    public void Who_does_not_come_back_leaves_nothing_behind() => new PostWorld(link: PostWorld.Link(2_000_000, 20))
    {
        ServerOptions = new() { ResumptionTimeout = TimeSpan.FromSeconds(10) },
        ClientOptions = new() { ResumptionTimeout = TimeSpan.FromSeconds(10) },
    }.Run(async world =>
    {
        var sent = world.Client.Send(Bytes);
        await world.DelayAsync(1000);
        world.Network.IsUp = false;
        world.Wire.Break();
        await world.DelayAsync(9000);
        Assert.IsGreaterThan(100_000, world.Server.HeldBytes);
        await world.DelayAsync(2000);
        Assert.AreEqual(0, world.Server.HeldBytes);
        Assert.AreEqual(ObjectOutcome.Failed, (await sent.Completion).Outcome);
    });

    private static SentObject Send(Association from, int source) => source switch
    {
        0 => from.Send(Bytes),
        1 => from.Send(new MemoryStream(Bytes)),
        2 => from.Send((offset, _) => ValueTask.FromResult<Stream>(new MemoryStream(Bytes, (int)offset, Length - (int)offset)), Length),
        _ => from.Send((offset, _) => ValueTask.FromResult<Stream>(new MemoryStream(Bytes, (int)offset, Length - (int)offset)), null),
    };

    /// <summary>Loses the connection and waits for the next; says how many bytes it had moved.</summary>
    private static async Task<long> LoseAsync(PostWorld world, bool fromServer = false, TransportErrorReason reason = TransportErrorReason.ConnectionReset)
    {
        var wire = world.Wire;
        var moved = Moved(wire, fromServer);
        wire.Break(reason);
        do
        {
            await world.DelayAsync(5);
        }
        while (world.Client.IsInterrupted || world.Server.IsInterrupted);
        return moved;
    }

    private static long Moved(InMemoryWire wire, bool fromServer) =>
        (fromServer ? wire.Server : wire.Client).GetStatistics().BytesSent!.Value;
}
