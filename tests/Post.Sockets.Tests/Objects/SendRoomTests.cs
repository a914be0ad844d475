namespace Post.Sockets.Tests.Objects;

/// <summary>Room in the send queue: it is memory that counts, and room is given by urgency, then in order.</summary>
[TestClass]
public sealed class SendRoomTests
{
    private const int Mebi = 1024 * 1024;

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Small_urgent_objects_are_taken_at_once_and_arrive_in_time_beside_a_stream_of_100_MiB(bool wait) =>
        new PostWorld(link: PostWorld.Link(10_000_000, 10))
        {
            ServerOptions = new() { Incremental = IncrementalDelivery.WhenLarge },
        }.Run(async world =>
        {
            var got = 0;
            world.Server.Register<Received>(received =>
            {
                if (received.Object.IsIncremental)
                {
                    _ = received.Object.Keep().AsStream().CopyToAsync(Stream.Null);
                }
                else
                {
                    got++;
                }
            });
            var bulk = world.Client.Send(new ZeroStream(100L * Mebi), new() { Niceness = 200 });
            Assert.IsLessThanOrEqualTo(64 * 1024, world.Client.QueuedBytes, "the length of the stream counts");
            await world.DelayAsync(1000);
            var slowest = TimeSpan.Zero;
            for (var i = 0; i < 100; i++)
            {
                var urgent = new ObjectProperties { Niceness = 0, Lifetime = TimeSpan.FromMilliseconds(200) };
                var sending = wait ? world.Client.SendAsync(new byte[1000], urgent) : ValueTask.FromResult(world.Client.Send(new byte[1000], urgent));
                Assert.IsTrue(sending.IsCompleted, "it waits for room");
                var receipt = (await (await sending).Completion).EnsureAcked();
                slowest = receipt.Elapsed > slowest ? receipt.Elapsed : slowest;
                await world.DelayAsync(7);
            }

            TestContext.WriteLine($"slowest of 100 urgent objects beside 100 MiB: {slowest.TotalMilliseconds:F1} ms");
            Assert.AreEqual(100, got);
            Assert.IsLessThan(60, slowest.TotalMilliseconds);
            Assert.IsNull(bulk.Receipt);
            world.Client.Abort();
        });

    [TestMethod]
    [DataRow(1)]
    [DataRow(64)]
    [DataRow(640)]
    public void Objects_in_memory_that_fill_the_queue_leave_room_for_more_urgent_ones(int pieces) =>
        new PostWorld(link: PostWorld.Link(10_000_000, 10))
        {
            ClientOptions = new() { MaxQueuedBytes = Mebi },
        }.Run(async world =>
        {
            world.Server.Register<Received>(_ => { });
            var size = (Mebi + (Mebi / 8)) / pieces;
            try
            {
                while (true)
                {
                    world.Client.Send(new byte[size], new() { Niceness = 200 });
                }
            }
            catch (PostException exception)
            {
                Assert.AreEqual(PostErrorReason.QueueFull, exception.Reason);
                Assert.Contains($"{Mebi}", exception.Message, "the limit is not named");
            }

            (await world.Client.Send(new byte[10_000], new() { Niceness = 100 }).Completion).EnsureAcked();
            (await world.Client.Send(new byte[10_000], new() { Niceness = 0 }).Completion).EnsureAcked();
            world.Client.Abort();
        });

    [TestMethod]
    public void Room_is_given_by_urgency_and_then_in_order() => new PostWorld(link: PostWorld.Link(1_000_000, 10))
    {
        ClientOptions = new() { MaxQueuedObjects = 1 },
    }.Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        var order = new List<int>();
        world.Client.Send(new byte[100_000]);
        int[] niceness = [100, 7, 100, 200, 7, 0];
        var sending = niceness.Select((nice, i) => SendAsync(nice, i)).ToArray();
        await Task.WhenAll(sending);
        CollectionAssert.AreEqual(new[] { 5, 1, 4, 0, 2, 3 }, order);

        async Task SendAsync(int nice, int number)
        {
            var item = await world.Client.SendAsync(new byte[1000], new() { Niceness = nice });
            order.Add(number);
            await item.Completion;
        }
    });

    [TestMethod]
    [DataRow(100)]
    [DataRow(99)]
    public void A_large_sender_that_waits_gets_its_room_beside_many_small_ones_that_always_want_some(int niceness) =>
        new PostWorld(link: PostWorld.Link(10_000_000, 10))
        {
            ClientOptions = new() { MaxQueuedBytes = 200_000 },
        }.Run(async world =>
        {
            world.Server.Register<Received>(_ => { });
            var stop = false;
            var refused = 0;
            var small = Enumerable.Range(0, 30).Select(_ => KeepSendingAsync()).ToArray();
            await world.DelayAsync(500);
            foreach (var size in (int[])[150_000, 200_000, 200_001, 1_000_000])
            {
                var started = world.Network.Clock.GetUtcNow();
                var large = await world.Client.SendAsync(new byte[size]);
                TestContext.WriteLine($"{size} bytes waited {(world.Network.Clock.GetUtcNow() - started).TotalMilliseconds:F0} ms");
                (await large.Completion).EnsureAcked();
            }

            stop = true;
            await Task.WhenAll(small);
            Assert.IsGreaterThan(0, refused, "the small senders never met a full queue");

            // Some wait for room; others ask again and again, and do not pass those that wait.
            async Task KeepSendingAsync()
            {
                var bytes = new byte[2000];
                for (var i = 0; !stop; i++)
                {
                    if (i % 2 == 0)
                    {
                        await world.Client.SendAsync(bytes, new() { Niceness = niceness });
                    }
                    else
                    {
                        try
                        {
                            world.Client.Send(bytes, new() { Niceness = niceness });
                        }
                        catch (PostException exception) when (exception.Reason == PostErrorReason.QueueFull)
                        {
                            refused++;
                        }
                    }

                    await world.DelayAsync(niceness == 100 ? 5 : 60);
                }
            }
        });

    [TestMethod]
    public void An_object_in_memory_counts_until_its_end_and_no_longer() => new PostWorld(link: PostWorld.Link(10_000_000, 10)).Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        var item = world.Client.Send(new byte[100_000], new() { Metadata = new byte[1000] });
        Assert.AreEqual(101_000, world.Client.QueuedBytes);
        await item.WaitForAsync(SentObjectState.Sent);
        Assert.AreEqual(101_000, world.Client.QueuedBytes, "it may have to be sent again");
        await item.Completion;
        Assert.AreEqual(0, world.Client.QueuedBytes);
        var writer = world.Client.Compose();
        Assert.AreEqual(64 * 1024, world.Client.QueuedBytes);
        await writer.CompleteAsync();
        (await writer.Object.Completion).EnsureAcked();
        Assert.AreEqual(0, world.Client.QueuedBytes);
    });

    [TestMethod]
    public void However_many_urgencies_there_are_the_queue_is_bounded() => new PostWorld(link: PostWorld.Link(1_000_000, 10))
    {
        ClientOptions = new() { MaxQueuedBytes = 100_000, MaxQueuedObjects = 1000 },
    }.Run(async world =>
    {
        // The newest first: each is more urgent than all before it.
        var error = Assert.ThrowsExactly<PostException>(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                world.Client.Send(new byte[1000], new() { Niceness = 10_000 - i });
            }
        });
        Assert.AreEqual(PostErrorReason.QueueFull, error.Reason);
        Assert.IsLessThanOrEqualTo(401_000, world.Client.QueuedBytes);
        world.Client.Abort();
        await Task.CompletedTask;
    });

    [TestMethod]
    public void A_sender_that_gives_up_lets_those_behind_it_pass() => new PostWorld(link: PostWorld.Link(1_000_000, 10))
    {
        ClientOptions = new() { MaxQueuedBytes = 100_000 },
    }.Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        var first = world.Client.Send(new byte[60_000]);
        using var cancel = new CancellationTokenSource();
        var large = world.Client.SendAsync(new byte[60_000], cancellationToken: cancel.Token).AsTask();
        var behind = world.Client.SendAsync(new byte[1000]).AsTask();
        await world.DelayAsync(1);
        Assert.IsFalse(behind.IsCompleted, "it passed the one before it");
        cancel.Cancel();
        await behind;
        Assert.IsTrue(large.IsCanceled);
        Assert.IsNull(first.Receipt, "it waited for the object that holds the room");
        (await (await behind).Completion).EnsureAcked();
        await first.Completion;
        Assert.AreEqual(0, world.Client.PendingObjects);
    });
}
