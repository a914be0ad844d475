using System.Buffers;
using System.IO.Pipelines;
using System.Reflection;
using System.Text;

namespace Post.Sockets.Tests.Associations;

/// <summary>Every public method, called when it is too late, with a canceled token, or with what it cannot take: the right reason, and nothing sent.</summary>
[TestClass]
public sealed class MisuseTests
{
    private static readonly CancellationToken Canceled = new(canceled: true);

    /// <summary>Calls of an association, by method, with a token for those that take one.</summary>
    private static readonly (string Method, Func<Association, CancellationToken, Task> Call)[] Calls =
    [
        ("Send span", (a, _) => Now(() => a.Send("x"u8))),
        ("Send memory", (a, _) => Now(() => a.Send(new byte[1].AsMemory()))),
        ("Send array", (a, _) => Now(() => a.Send(new byte[1]))),
        ("Send sequence", (a, _) => Now(() => a.Send(new ReadOnlySequence<byte>(new byte[1])))),
        ("Send stream", (a, _) => Now(() => a.Send(new MemoryStream(new byte[1])))),
        ("Send pipe", (a, _) => Now(() => a.Send(PipeReader.Create(new MemoryStream(new byte[1]))))),
        ("Send opener", (a, _) => Now(() => a.Send(Open, 1))),
        ("SendWithoutCopy memory", (a, _) => Now(() => a.SendWithoutCopy(new byte[1]))),
        ("SendWithoutCopy sequence", (a, _) => Now(() => a.SendWithoutCopy(new ReadOnlySequence<byte>(new byte[1])))),
        ("Compose", (a, _) => Now(() => a.Compose())),
        ("SendAsync memory", (a, token) => a.SendAsync(new byte[1], cancellationToken: token).AsTask()),
        ("SendWithoutCopyAsync memory", (a, token) => a.SendWithoutCopyAsync(new byte[1], cancellationToken: token).AsTask()),
        ("SendAsync stream", (a, token) => a.SendAsync(new MemoryStream(new byte[1]), cancellationToken: token).AsTask()),
        ("SendAsync opener", (a, token) => a.SendAsync(Open, 1, cancellationToken: token).AsTask()),
        ("ReceiveAsync", (a, token) => a.ReceiveAsync(token).AsTask()),
        ("OpenStreamAsync", (a, token) => a.OpenStreamAsync(cancellationToken: token).AsTask()),
        ("AcceptStreamAsync", (a, token) => a.AcceptStreamAsync(token).AsTask()),
        ("MigrateAsync", (a, token) => a.MigrateAsync(cancellationToken: token).AsTask()),
    ];

    /// <summary>What needs no connection: it works, or ends, whatever became of the association.</summary>
    private static readonly (string Method, Func<Association, CancellationToken, Task> Call)[] Harmless =
    [
        ("ReceiveAllAsync", async (a, token) =>
        {
            try
            {
                await foreach (var item in a.ReceiveAllAsync(token).ConfigureAwait(false))
                {
                    item.Dispose();
                }
            }
            catch (PostException exception) when (exception == a.Error)
            {
                // Ends with what ended the association.
            }
        }),
        ("EventsAsync", async (a, token) =>
        {
            await foreach (var ended in a.EventsAsync<ObjectCompleted>(token).ConfigureAwait(false))
            {
            }
        }),
        ("Register action", (a, _) => Now(() => a.Register<Acked>(static _ => { }).Dispose())),
        ("Register function", (a, _) => Now(() => a.Register<Acked>(static _ => default).Dispose())),
        ("Register function of a task", (a, _) => Now(() => a.Register<Acked>(static _ => Task.CompletedTask).Dispose())),
        ("CloseAsync", (a, token) => a.CloseAsync(token)),
        ("DisposeAsync", (a, _) => a.DisposeAsync().AsTask()),
        ("Abort", (a, _) => Now(a.Abort)),
    ];

    [TestMethod]
    [DataRow("CloseAsync", PostErrorReason.AssociationEnded)]
    [DataRow("DisposeAsync", PostErrorReason.AssociationEnded)]
    [DataRow("Abort", PostErrorReason.Aborted)]
    [DataRow("Peer closes", PostErrorReason.AssociationEnded)]
    [DataRow("Peer aborts", PostErrorReason.Aborted)]
    public void Whatever_is_called_after_the_end_says_why_there_is_no_more(string how, PostErrorReason reason) =>
        new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
        {
            var association = world.Client;
            switch (how)
            {
                case "CloseAsync":
                    await association.CloseAsync();
                    break;
                case "DisposeAsync":
                    await association.DisposeAsync();
                    break;
                case "Abort":
                    association.Abort();
                    break;
                case "Peer closes":
                    await world.Server.CloseAsync();
                    break;
                default:
                    world.Server.Abort();
                    break;
            }

            await association.Completion;
            foreach (var (method, call) in Calls)
            {
                var error = await ThrowsAsync(call(association, CancellationToken.None), method);
                Assert.AreEqual(reason, Assert.IsInstanceOfType<PostException>(error, method).Reason, $"{method}: {error}");
            }

            foreach (var (method, call) in Harmless)
            {
                var calling = call(association, CancellationToken.None);
                await world.DelayAsync(1);
                Assert.IsTrue(calling.IsCompleted, $"{method} waits for ever");
                await calling;
            }

            _ = (association.Paths, association.Statistics, association.Peer, association.LocalEndPoint, association.RemoteEndPoint);
            _ = (association.Capabilities, association.IsInterrupted, association.QueuedBytes, association.HeldBytes, association.PendingObjects);
        });

    [TestMethod]
    public void A_canceled_token_is_looked_at_first_and_nothing_is_sent() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        var association = world.Client;
        var received = 0;
        world.Server.Register<Received>(_ => received++);
        world.Server.Register<StreamOpened>(_ => received++);
        foreach (var (method, call) in Calls.Where(static entry => entry.Method.Contains("Async", StringComparison.Ordinal)))
        {
            var error = await ThrowsAsync(call(association, Canceled), method);
            Assert.IsInstanceOfType<OperationCanceledException>(error, method);
        }

        Assert.AreEqual(0, association.PendingObjects);
        var before = association.LocalEndPoint;
        var sent = association.Send("x"u8);
        await ThrowsCanceledAsync(() => sent.WaitForAsync(SentObjectState.Completed, Canceled));
        (await sent.Completion).EnsureAcked();
        Assert.AreEqual(0, sent.Id, "an object was taken in spite of its token");
        Assert.AreEqual(1, received);
        Assert.AreEqual(before, association.LocalEndPoint);
        var stream = await association.OpenStreamAsync();
        await ThrowsCanceledAsync(() => stream.ReadAsync(new byte[1], Canceled).AsTask());
        await ThrowsCanceledAsync(() => stream.WriteAsync(new byte[1], Canceled).AsTask());
        await ThrowsCanceledAsync(() => stream.CompleteWritesAsync(Canceled));
        await stream.WriteAsync(new byte[1]);
        await ThrowsCanceledAsync(async () => await Association.AssociateAsync(
            world.CreateTransport(), Local.Anonymous, Remote.Named("server", 1), cancellationToken: Canceled));
        await ThrowsCanceledAsync(async () => await Listener.ListenAsync(world.CreateTransport(), Local.OnPort(0), cancellationToken: Canceled));
        await using var listener = await Listener.ListenAsync(world.CreateTransport(), Local.At(new System.Net.DnsEndPoint("other", 1)));
        await ThrowsCanceledAsync(async () => await listener.AcceptAsync(Canceled));
    });

    [TestMethod]
    public void An_event_can_only_be_registered_for_where_it_is_raised()
    {
        foreach (var (owner, kind) in new[] { (typeof(Association), typeof(AssociationEvent)), (typeof(Listener), typeof(ListenerEvent)) })
        {
            var takers = owner.GetMethods().Where(static method => method.Name is "Register" or "EventsAsync").ToArray();
            Assert.IsNotEmpty(takers);
            foreach (var taker in takers)
            {
                Assert.AreSequenceEqual([kind], taker.GetGenericArguments()[0].GetGenericParameterConstraints(), $"{owner.Name}.{taker.Name}");
            }
        }

        // So these do not compile: association.Register<Accept>(...), listener.Register<Received>(...).
        Assert.IsFalse(typeof(Accept).IsAssignableTo(typeof(AssociationEvent)));
        var events = typeof(PostEvent).Assembly.GetTypes().Where(static type => type.IsSubclassOf(typeof(PostEvent)) && !type.IsAbstract).ToArray();
        Assert.HasCount(11, events);
        foreach (var one in events)
        {
            Assert.IsTrue(one.IsSubclassOf(typeof(AssociationEvent)) ^ one.IsSubclassOf(typeof(ListenerEvent)), one.Name);
        }
    }

    [TestMethod]
    public void Memory_is_copied_unless_the_method_says_otherwise() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        var arrived = new List<string>();
        world.Server.Register<Received>(received => arrived.Add(Encoding.ASCII.GetString(received.Object.Payload)));
        var bytes = "before"u8.ToArray();
        Func<SentObject>[] sends =
        [
            () => world.Client.Send(bytes),
            () => world.Client.Send(bytes.AsSpan()),
            () => world.Client.Send(bytes.AsMemory()),
            () => world.Client.Send(new ReadOnlySequence<byte>(bytes)),
            () => world.Client.SendAsync(bytes).AsTask().Result,
        ];
        foreach (var send in sends)
        {
            "before"u8.CopyTo(bytes);
            var sent = send();
            "after!"u8.CopyTo(bytes);
            (await sent.Completion).EnsureAcked();
        }

        Assert.AreSequenceEqual(Enumerable.Repeat("before", sends.Length), arrived);
    });

    [TestMethod]
    public void What_a_method_cannot_take_is_refused_before_anything_happens() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        var association = world.Client;
        var closed = new MemoryStream();
        await closed.DisposeAsync();
        Assert.ThrowsExactly<ArgumentNullException>(() => association.Send((byte[])null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => association.Send((Stream)null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => association.Send((PipeReader)null!));
        Assert.ThrowsExactly<ArgumentException>(() => association.Send(closed));
        Assert.ThrowsExactly<ArgumentException>(() => { _ = association.SendAsync(closed).AsTask(); });
        Assert.ThrowsExactly<ArgumentException>(() => association.Send("x"u8, new() { Antecedents = [null!] }));
        var theirs = world.Server.Send("y"u8);
        Assert.ThrowsExactly<ArgumentException>(() => association.Send("x"u8, new() { Antecedents = [theirs] }));
        Assert.ThrowsExactly<ArgumentException>(() => { _ = association.SendAsync("x"u8.ToArray(), new() { Antecedents = [theirs] }).AsTask(); });
        Assert.ThrowsExactly<ArgumentNullException>(() => association.Register((Action<Acked>)null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => association.Register((Func<Acked, ValueTask>)null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => association.Register((Func<Acked, Task>)null!));
        Assert.ThrowsExactly<ArgumentException>(() => association.Register<AssociationEvent>(_ => { }));
        Assert.ThrowsExactly<ArgumentException>(() => association.EventsAsync<Received>());
        Assert.ThrowsExactly<ArgumentException>(() => association.EventsAsync<AssociationEvent>());
        var sent = association.Send("x"u8);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => sent.Reprioritize(-1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => { _ = sent.WaitForAsync((SentObjectState)99); });
        world.Server.Register<Received>(_ => { });
        Assert.AreEqual(0, sent.Id, "what was refused took an id");
        (await sent.Completion).EnsureAcked();
        await sent.WaitForAsync(SentObjectState.Completed);
        sent.Reprioritize(0);
        Assert.IsFalse(sent.Cancel());
    });

    [TestMethod]
    public void A_stream_says_why_there_is_no_more() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        world.Server.Register<StreamOpened>(_ => { });
        var disposed = await world.Client.OpenStreamAsync();
        await disposed.DisposeAsync();
        await disposed.DisposeAsync();
        disposed.Abort();
        Assert.IsInstanceOfType<ObjectDisposedException>(await ThrowsAsync(disposed.ReadAsync(new byte[1]).AsTask(), "read"));
        Assert.IsInstanceOfType<ObjectDisposedException>(await ThrowsAsync(disposed.WriteAsync(new byte[1]).AsTask(), "write"));
        var aborted = await world.Client.OpenStreamAsync();
        aborted.Abort();
        Reason(PostErrorReason.StreamEnded, await ThrowsAsync(aborted.WriteAsync(new byte[1]).AsTask(), "write"));
        var left = await world.Client.OpenStreamAsync();
        Assert.AreEqual(0, await left.ReadAsync(Memory<byte>.Empty));
        await left.WriteAsync(ReadOnlyMemory<byte>.Empty);
        await world.Client.CloseAsync();
        Reason(PostErrorReason.AssociationEnded, await ThrowsAsync(left.ReadAsync(new byte[1]).AsTask(), "read"));
        Reason(PostErrorReason.AssociationEnded, await ThrowsAsync(left.WriteAsync(new byte[1]).AsTask(), "write"));
        Reason(PostErrorReason.AssociationEnded, await ThrowsAsync(left.CompleteWritesAsync(), "complete"));

        static void Reason(PostErrorReason expected, Exception error) =>
            Assert.AreEqual(expected, Assert.IsInstanceOfType<PostException>(error).Reason, error.ToString());
    });

    [TestMethod]
    public void A_listener_that_was_disposed_says_so_to_whoever_waits() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        var listener = await Listener.ListenAsync(world.CreateTransport(), Local.At(new System.Net.DnsEndPoint("other", 1)));
        var waiting = listener.AcceptAsync().AsTask();
        await listener.DisposeAsync();
        await listener.DisposeAsync();
        Assert.IsNull(await waiting);
        Assert.IsNull(await listener.AcceptAsync());
        await foreach (var association in listener.AcceptAllAsync())
        {
            Assert.Fail($"{association} came");
        }

        _ = (listener.LocalEndPoints, listener.AssociationCount, listener.InterruptedCount);
        Assert.ThrowsExactly<ArgumentException>(() => listener.Register<ListenerEvent>(_ => { }));
        Assert.ThrowsExactly<ArgumentNullException>(() => listener.Register((Action<Accept>)null!));
        listener.Register<Accept>(_ => { }).Dispose();
    });

    [TestMethod]
    public void What_is_too_large_is_rejected_with_the_figures() => new PostWorld(link: PostWorld.Link(delay: 5))
    {
        ServerOptions = new() { MaxWholeObjectSize = 1000, MaxAntecedents = 2 },
    }.Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        foreach (var sent in (SentObject[])[world.Client.Send(new byte[1001]), world.Client.Send(new UnseekableStream(new byte[300_000]))])
        {
            var receipt = await sent.Completion;
            Assert.AreEqual(ObjectOutcomeReason.TooLarge, receipt.Reason);
            var error = Assert.ThrowsExactly<PostException>(receipt.EnsureAcked);
            Assert.AreEqual(PostErrorReason.ObjectRejected, error.Reason);
            Assert.Contains("1000", error.Message);
            Assert.Contains("MaxWholeObjectSize", error.Message);
            Assert.AreEqual(error.Message, receipt.Error!.Message);
        }

        var antecedents = Enumerable.Range(0, 3).Select(_ => world.Client.Send(new byte[900])).ToArray();
        var many = await world.Client.Send("x"u8, new() { Antecedents = antecedents }).Completion;
        if (!many.IsAcked)
        {
            Assert.Contains("3 antecedents", Assert.ThrowsExactly<PostException>(many.EnsureAcked).Message);
        }
    });

    [TestMethod]
    public void The_tables_name_every_public_method_of_an_association()
    {
        var named = Calls.Concat(Harmless).GroupBy(static entry => entry.Method.Split(' ')[0]).ToDictionary(static group => group.Key, static group => group.Count());
        var methods = typeof(Association)
            .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(static method => !method.IsSpecialName)
            .GroupBy(static method => method.Name);
        foreach (var group in methods)
        {
            Assert.AreEqual(group.Count(), named.GetValueOrDefault(group.Key), $"calls of {group.Key} in the tables");
        }
    }

    private static ValueTask<Stream> Open(long offset, CancellationToken cancellationToken) => new(new MemoryStream(new byte[1]));

    private static Task Now(Action call)
    {
        try
        {
            call();
            return Task.CompletedTask;
        }
        catch (Exception exception)
        {
            return Task.FromException(exception);
        }
    }

    private static Task Now(Func<object> call) => Now(() => { call(); });

    private static async Task<Exception> ThrowsAsync(Task task, string what)
    {
        try
        {
            await task;
        }
        catch (Exception exception)
        {
            return exception;
        }

        throw new AssertFailedException($"{what} did not throw");
    }

    private static async Task ThrowsCanceledAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (OperationCanceledException)
        {
            return;
        }

        Assert.Fail("it went on in spite of its token");
    }

    private sealed class UnseekableStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
