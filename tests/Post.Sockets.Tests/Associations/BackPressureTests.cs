namespace Post.Sockets.Tests.Associations;

[TestClass]
public sealed class BackPressureTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [DataRow(100, false)]
    [DataRow(30_000, false)]
    [DataRow(100, true)]
    public void A_slow_receiver_holds_no_more_than_its_budget_and_loses_nothing(int size, bool datagrams) => new PostWorld(link: PostWorld.Link(50_000_000, 10))
    {
        ServerOptions = new() { MaxWholeObjectSize = 64 * 1024, ReceiveBudget = 512 * 1024 },
        ClientOptions = new() { MaxQueuedBytes = 200_000, MaxQueuedObjects = 5000 },
    }.Run(async world =>
    {
        var count = size == 100 ? 3000 : 600;
        long most = 0;
        var got = new HashSet<long>();
        world.Server.Register<Received>(async received =>
        {
            Assert.IsTrue(got.Add(received.Object.Id));
            most = Math.Max(most, world.Server.HeldBytes);
            await Task.Delay(TimeSpan.FromMilliseconds(20), world.Network.Clock).ConfigureAwait(false);
        });
        var properties = new ObjectProperties { Lifetime = datagrams ? TimeSpan.FromHours(1) : Timeout.InfiniteTimeSpan };
        var handles = new List<SentObject>();
        for (var i = 0; i < count; i++)
        {
            handles.Add(await world.Client.SendAsync(new byte[size], properties));
            Assert.IsLessThanOrEqualTo(200_000, world.Client.QueuedBytes);
            most = Math.Max(most, world.Server.HeldBytes);
        }

        foreach (var handle in handles)
        {
            (await handle.Completion).EnsureAcked();
        }

        Assert.HasCount(count, got);
        TestContext.WriteLine($"{count} objects of {size} bytes to a receiver of 50 a second: at most {most} bytes held of {512 * 1024}");
        Assert.IsLessThanOrEqualTo(512 * 1024, most);
    });

    [TestMethod]
    public void Send_says_when_the_queue_is_full_and_SendAsync_waits() => new PostWorld(link: PostWorld.Link(1_000_000, 10))
    {
        ClientOptions = new() { MaxQueuedBytes = 100_000, MaxQueuedObjects = 10 },
    }.Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        for (var i = 0; i < 10; i++)
        {
            world.Client.Send(new byte[5000]);
        }

        var error = Assert.ThrowsExactly<PostException>(() => world.Client.Send(new byte[1]));
        Assert.AreEqual(PostErrorReason.QueueFull, error.Reason);
        var waiting = world.Client.SendAsync(new byte[1]).AsTask();
        Assert.IsFalse(waiting.IsCompleted);
        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(1), world.Network.Clock);
        var given = world.Client.SendAsync(new byte[1], cancellationToken: impatient.Token).AsTask();
        try
        {
            await given;
            Assert.Fail("canceled");
        }
        catch (OperationCanceledException)
        {
            // As asked.
        }

        (await (await waiting).Completion).EnsureAcked();
    });

    [TestMethod]
    public void Those_who_wait_for_room_are_told_when_the_association_ends() => new PostWorld(link: PostWorld.Link(1_000_000, 10))
    {
        ClientOptions = new() { MaxQueuedObjects = 1 },
    }.Run(async world =>
    {
        world.Client.Send(new byte[500_000]);
        var waiting = world.Client.SendAsync(new byte[1]).AsTask();
        world.Client.Abort();
        try
        {
            await waiting;
            Assert.Fail("aborted");
        }
        catch (PostException exception)
        {
            Assert.AreEqual(PostErrorReason.Aborted, exception.Reason);
        }
    });

    [TestMethod]
    public void Canceling_a_receive_loses_no_object() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(1), world.Network.Clock);
        var first = world.Server.ReceiveAsync(cancel.Token).AsTask();
        var second = world.Server.ReceiveAsync().AsTask();
        try
        {
            await first;
            Assert.Fail("canceled");
        }
        catch (OperationCanceledException)
        {
            // As asked.
        }

        world.Client.Send("x"u8);
        using var received = await second;
        Assert.AreEqual(1, received.Payload.Length);
    });
}
