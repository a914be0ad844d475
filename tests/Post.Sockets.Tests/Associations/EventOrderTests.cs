using System.Net;
using Microsoft.Extensions.Logging;
using Post.Tests;

namespace Post.Sockets.Tests.Associations;

/// <summary>The order in which events are raised, and what they say.</summary>
[TestClass]
public sealed class EventOrderTests
{
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Closed_is_the_last_event_of_all(bool aborted) => new PostWorld(link: PostWorld.Link(500_000, 10)).Run(async world =>
    {
        var events = new List<PostEvent>();
        world.Client.Register<ObjectCompleted>(events.Add);
        world.Client.Register<Acked>(events.Add);
        world.Client.Register<Closed>(events.Add);
        var streamed = 0;
        var streaming = StreamAsync();
        for (var i = 0; i < 100; i++)
        {
            world.Client.Send(new byte[5000]);
        }

        world.Client.Send(new NeverStream(), new() { Niceness = 0 });
        world.Server.Register<Received>(_ => { });
        await world.DelayAsync(1500);
        if (aborted)
        {
            world.Client.Abort();
        }
        else
        {
            world.Server.Abort();
        }

        await world.Client.Completion;
        await world.DelayAsync(10);
        await streaming;
        Assert.HasCount(1, events.OfType<Closed>());
        Assert.IsInstanceOfType<Closed>(events[^1]);
        Assert.AreEqual(101, events.OfType<ObjectCompleted>().Count());
        Assert.AreEqual(101, streamed, "the stream of events ended before the last of them");

        async Task StreamAsync()
        {
            await foreach (var ended in world.Client.EventsAsync<ObjectCompleted>())
            {
                streamed++;
            }
        }
    });

    [TestMethod]
    public void Events_of_paths_go_from_one_to_the_next_and_each_shows_the_paths_of_its_moment() => new PostWorld(link: PostWorld.Link(5_000_000, 10))
    {
        Logs = new(),
        ClientOptions = new() { IdleTimeout = TimeSpan.FromSeconds(3), KeepAliveInterval = TimeSpan.FromSeconds(1) },
        ServerOptions = new() { IdleTimeout = TimeSpan.FromSeconds(3), KeepAliveInterval = TimeSpan.FromSeconds(1) },
    }.Run(async world =>
    {
        var ours = new PathStory(world.Client);
        var theirs = new PathStory(world.Server);
        for (var i = 0; i < 20; i++)
        {
            await world.Client.MigrateAsync(new IPEndPoint(IPAddress.Parse("10.0.0.9"), 1000 + i));
            await world.DelayAsync(i % 3 * 50);
        }

        await world.DelayAsync(1000);
        var before = ours.Count;
        world.Wire.Break(Sockets.Transport.TransportErrorReason.TimedOut);
        await world.DelayAsync(20_000);
        Assert.IsFalse(world.Client.IsInterrupted);
        Assert.IsGreaterThan(before, ours.Count, "the loss of the connection told nothing of its paths");
        ours.Check(60);
        theirs.Check(20);
        Assert.IsFalse(
            world.Logs!.Entries.Any(static entry => entry.Level >= LogLevel.Information && entry.Text.StartsWith("Path ", StringComparison.Ordinal)),
            "events of paths are for whoever debugs");
    });

    [TestMethod]
    public void A_handler_of_StreamOpened_gets_the_streams_that_came_before_it() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        for (var i = 0; i < 3; i++)
        {
            await (await world.Client.OpenStreamAsync()).WriteAsync(new byte[] { (byte)i });
        }

        await world.DelayAsync(100);
        var opened = new List<long>();
        world.Server.Register<StreamOpened>(happened => opened.Add(happened.Stream.Id));
        await world.DelayAsync(1);
        await (await world.Client.OpenStreamAsync()).WriteAsync(new byte[1]);
        await world.DelayAsync(100);
        Assert.HasCount(4, opened);
        CollectionAssert.AllItemsAreUnique(opened);
    });

    /// <summary>A stream that never has a byte and does not let itself be canceled.</summary>
    private sealed class NeverStream : Stream
    {
        private readonly TaskCompletionSource _never = new();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await _never.Task.ConfigureAwait(false);
            return 0;
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
