using System.IO.Pipelines;
using System.Net;
using Microsoft.Extensions.Logging;

namespace Post.Sockets.Tests.Associations;

/// <summary>What the application's own code throws, wherever it is called, reaches the one place that is documented for it.</summary>
[TestClass]
public sealed class CallbackFailureTests
{
    [TestMethod]
    [DataRow("Read")]
    [DataRow("ReadLater")]
    [DataRow("TryRead")]
    [DataRow("ReadAsync")]
    [DataRow("AdvanceTo")]
    [DataRow("Opener")]
    [DataRow("Compose")]
    public void What_a_source_throws_is_the_inner_exception_of_its_objects_receipt(string where) => new PostWorld(link: PostWorld.Link(delay: 5))
    {
        Logs = new(),
    }.Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        var thrown = new FormatException("The source's own words.");
        SentObject sent;
        switch (where)
        {
            case "Read":
                sent = world.Client.Send(new BrokenStream(thrown, after: 0));
                break;
            case "ReadLater":
                sent = world.Client.Send(new BrokenStream(thrown, after: 200_000));
                break;
            case "Opener":
                sent = world.Client.Send((_, _) => throw thrown, 100_000);
                break;
            case "Compose":
                var writer = world.Client.Compose();
                await writer.WriteAsync(new byte[100]);
                await writer.CompleteAsync(thrown);
                sent = writer.Object;
                break;
            default:
                sent = world.Client.Send(new BrokenReader(thrown, where));
                break;
        }

        var receipt = await sent.Completion;
        Assert.AreEqual(ObjectOutcomeReason.SourceFailed, receipt.Reason);
        var error = Assert.ThrowsExactly<PostException>(receipt.EnsureAcked);
        Assert.AreEqual(PostErrorReason.SourceFailed, receipt.Error!.Reason);
        Assert.AreSame(thrown, receipt.Error.InnerException);
        Assert.Contains(thrown.Message, error.Message);
        (await world.Client.Send("the association goes on"u8).Completion).EnsureAcked();
    });

    [TestMethod]
    [DataRow("CancelPendingRead")]
    [DataRow("Complete")]
    public void What_a_source_throws_when_its_object_has_its_end_already_is_logged(string where) => new PostWorld(link: PostWorld.Link(delay: 5))
    {
        Logs = new(),
    }.Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        var thrown = new FormatException("The source's own words.");
        var sent = world.Client.Send(new BrokenReader(thrown, where));
        await world.DelayAsync(100);
        sent.Cancel();
        Assert.AreEqual(ObjectOutcome.Canceled, (await sent.Completion).Outcome);
        await world.DelayAsync(100);
        Assert.IsTrue(world.Logs!.Entries.Any(entry => entry.Level == LogLevel.Warning && entry.Exception == thrown));
        (await world.Client.Send("the association goes on"u8).Completion).EnsureAcked();
    });

    [TestMethod]
    public void What_a_stream_throws_for_its_length_is_thrown_by_Send() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        var thrown = new FormatException("The source's own words.");
        Assert.AreSame(thrown, Assert.ThrowsExactly<FormatException>(() => world.Client.Send(new NoLength(thrown))));
        Assert.AreEqual(0, world.Client.PendingObjects);
        await Task.CompletedTask;
    });

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void What_a_handler_throws_is_logged_and_raised_and_rejects_the_object_where_receipts_wait_for_it(bool later) =>
        new PostWorld(link: PostWorld.Link(delay: 5))
        {
            Logs = new(),
            ServerOptions = new() { ReceiptLevel = ReceiptLevel.Processed },
        }.Run(async world =>
        {
            var thrown = new FormatException("The handler's own words.");
            var raised = new List<HandlerFailed>();
            world.Server.Register<HandlerFailed>(raised.Add);
            world.Server.Register<HandlerFailed>(_ => throw new FormatException("Even this one."));
            world.Server.Register<Received>(async _ =>
            {
                if (later)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(10), world.Network.Clock).ConfigureAwait(false);
                }

                throw thrown;
            });
            Assert.AreEqual(ObjectOutcome.Rejected, (await world.Client.Send("x"u8).Completion).Outcome);
            await world.DelayAsync(100);
            Assert.AreSame(thrown, raised.Single().Exception);
            Assert.IsInstanceOfType<Received>(raised[0].Event);
            Assert.IsTrue(world.Logs!.Entries.Any(entry => entry.Level == LogLevel.Error && entry.Exception == thrown));
            Assert.IsTrue(world.Logs.Entries.Any(static entry => entry.Level == LogLevel.Error && entry.Exception?.Message == "Even this one."));
        });

    [TestMethod]
    public void What_the_handlers_of_other_events_throw_is_raised_and_the_events_go_on() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        var failed = new List<PostEvent>();
        var ended = 0;
        world.Client.Register<HandlerFailed>(happened => failed.Add(happened.Event));
        world.Client.Register<Acked>(_ => throw new FormatException());
        world.Client.Register<ObjectCompleted>(_ => ended++);
        world.Client.Register<ObjectCompleted>(async _ =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), world.Network.Clock).ConfigureAwait(false);
            throw new FormatException();
        });
        world.Client.Register<Closed>(_ => throw new FormatException());
        for (var i = 0; i < 5; i++)
        {
            await world.Client.Send("x"u8).Completion;
        }

        await world.Client.CloseAsync();
        await world.DelayAsync(100);
        Assert.AreEqual(5, ended);
        Assert.AreEqual(5, failed.OfType<Acked>().Count());
        Assert.AreEqual(5, failed.OfType<ObjectCompleted>().Count());
        Assert.AreEqual(1, failed.OfType<Closed>().Count());
    });

    [TestMethod]
    public void What_a_handler_of_Accept_throws_is_raised_at_the_listener_and_refuses_the_remote() => new PostWorld(link: PostWorld.Link(delay: 5))
    {
        Logs = new(),
    }.Run(async world =>
    {
        var thrown = new FormatException("The handler's own words.");
        var factory = new AssociationFactory(world.CreateTransport(), world.Logs);
        await using var listener = await factory.ListenAsync(Local.At(new DnsEndPoint("other", 1)));
        var raised = new List<AcceptFailed>();
        listener.Register<AcceptFailed>(raised.Add);
        listener.Register<Accept>(_ => throw thrown);
        var refused = await factory.AssociateAsync(Local.Anonymous, Remote.Named("other", 1));
        await refused.Completion;
        Assert.AreEqual(PostErrorReason.AssociationRefused, refused.Error!.Reason);
        Assert.AreSame(thrown, raised.Single().Exception);
        Assert.IsTrue(world.Logs!.Entries.Any(entry => entry.Level == LogLevel.Error && entry.Exception == thrown));
    });

    [TestMethod]
    public void What_a_session_cache_throws_is_logged_and_costs_the_memory_only() => new PostWorld(link: PostWorld.Link(delay: 5))
    {
        Logs = new(),
    }.Run(async world =>
    {
        var options = new AssociationOptions { AllowEarlyData = true };
        var thrown = new FormatException("The cache's own words.");
        var factory = new AssociationFactory(world.CreateTransport(), world.Logs);
        await using var listener = await factory.ListenAsync(Local.At(new DnsEndPoint("other", 1)), new ListenerOptions { Association = options });
        listener.Register<Accept>(accept => accept.Association.Register<Received>(static _ => { }));
        var association = await factory.AssociateAsync(
            Local.Anonymous with { Sessions = new BrokenCache(thrown) }, Remote.Named("other", 1), options);
        (await association.Send("x"u8).Completion).EnsureAcked();
        Assert.IsTrue(world.Logs!.Entries.Any(entry => entry.Level == LogLevel.Warning && entry.Exception == thrown));
        await association.CloseAsync();
    });

    private sealed class BrokenCache(Exception thrown) : ISessionCache
    {
        public void Put(string key, ReadOnlyMemory<byte> session, DateTimeOffset expiresAt) => throw thrown;

        public bool TryTake(string key, out ReadOnlyMemory<byte> session) => throw thrown;

        public void Remove(string key) => throw thrown;
    }

    private sealed class NoLength(Exception thrown) : MemoryStream
    {
        public override long Length => throw thrown;
    }

    /// <summary>A stream that cannot seek and breaks after some bytes.</summary>
    private sealed class BrokenStream(Exception thrown, int after) : MemoryStream(new byte[after + 1000])
    {
        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position >= after ? throw thrown : base.ReadAsync(buffer[..Math.Min(buffer.Length, after - (int)Position)], cancellationToken);
    }

    /// <summary>A pipe of the application's that throws in one of its methods.</summary>
    private sealed class BrokenReader(Exception thrown, string where) : PipeReader
    {
        private readonly TaskCompletionSource<ReadResult> _pending = new();
        private bool _hasRead;

        public override bool TryRead(out ReadResult result)
        {
            result = default;
            if (where == "TryRead")
            {
                throw thrown;
            }

            if (where != "AdvanceTo" || _hasRead)
            {
                return false;
            }

            _hasRead = true;
            result = new ReadResult(new(new byte[100]), isCanceled: false, isCompleted: false);
            return true;
        }

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            where == "ReadAsync" ? throw thrown : new(_pending.Task);

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            if (where == "AdvanceTo")
            {
                throw thrown;
            }
        }

        public override void CancelPendingRead()
        {
            if (where == "CancelPendingRead")
            {
                throw thrown;
            }

            _pending.TrySetResult(new ReadResult(default, isCanceled: true, isCompleted: false));
        }

        public override void Complete(Exception? exception = null)
        {
            if (where == "Complete")
            {
                throw thrown;
            }
        }
    }
}
