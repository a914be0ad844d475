using System.Buffers.Binary;
using System.Collections.Concurrent;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;

namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>Events are raised one at a time and without a lock, and whole streams go and come with the calls that matter.</summary>
[TestClass]
public sealed class PushedEventTests
{
    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task Whole_streams_from_many_threads_come_once_each_and_one_at_a_time()
    {
        const int Senders = 8, Each = 5_000, Total = Senders * Each;
        var sent = new Listener();
        var received = new Listener();
        await using LoopbackPair pair = await ConnectAsync(sent, received);
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(
            async () =>
            {
                byte[] header = new byte[8], body = new byte[1024];
                for (int i = 0; i < Each; i++)
                {
                    long token = (sender * Each) + i;
                    BinaryPrimitives.WriteInt64BigEndian(header, token);
                    body.AsSpan().Fill((byte)token);
                    QuicStreamSendResult result;
                    while ((result = pair.Client.TrySendStream(header, body.AsSpan(0, 1 + (i % 1024)), default, token)) != QuicStreamSendResult.Queued)
                    {
                        Assert.IsTrue(result is QuicStreamSendResult.Full or QuicStreamSendResult.NoStreams, $"{result}");
                        await Task.Delay(1, Cancel);
                    }
                }
            },
            Cancel)));
        await Until(() => received.Objects.Count >= Total && sent.Acknowledged.Count >= Total);

        Assert.AreEqual(Total, received.Objects.Count);
        Assert.AreEqual(Total, sent.Acknowledged.Count);
        Assert.AreEqual(Total, sent.Sent.Count);
        for (long token = 0; token < Total; token++)
        {
            Assert.AreEqual(1 + (int)(token % Each % 1024), received.Objects[token]);
        }

        Assert.AreEqual(0, received.Overlaps + sent.Overlaps, "two events at once");
        Assert.AreEqual(0, received.Wrong);
        Assert.IsTrue(received.Drained > 0);
        await pair.Client.CloseAsync(3);
        await Until(() => sent.IsClosed && received.IsClosed);
        Assert.IsFalse(sent.ToldAfterEnd || received.ToldAfterEnd);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_listener_may_call_back_and_so_may_those_that_it_waits_for()
    {
        var received = new Listener();
        await using LoopbackPair pair = await ConnectAsync(new Listener(), received);
        var answered = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        received.OnObject = _ =>
        {
            // Another thread takes every lock of the connection's meanwhile, so this one holds none.
            Task other = Task.Run(() => pair.Server.GetStatistics(), Cancel);
            bool free = other.Wait(TimeSpan.FromSeconds(10), Cancel);
            QuicStreamSendResult sent = pair.Server.TrySendStream("answer"u8, default, default, 1);
            answered.TrySetResult(free && sent == QuicStreamSendResult.Queued);
        };
        Assert.AreEqual(QuicStreamSendResult.Queued, pair.Client.TrySendStream("question"u8, default, default, 1));
        Assert.IsTrue(await answered.Task.WaitAsync(Cancel));
        await using QuicStream answer = await pair.Client.AcceptInboundStreamAsync(Cancel);
        byte[] bytes = new byte[100];
        Assert.AreEqual(6, await answer.ReadAsync(bytes, Cancel));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_stream_on_a_quiet_connection_has_left_when_the_call_returns()
    {
        var sent = new Listener();
        await using LoopbackPair pair = await ConnectAsync(sent, new Listener());
        int inTime = 0;
        for (int i = 0; i < 10; i++)
        {
            await Task.Delay(50, Cancel);
            Assert.AreEqual(QuicStreamSendResult.Queued, pair.Client.TrySendStream([1], [2], default, i));

            // The peer's late acknowledgement can be under way in another thread, which then sends for both.
            inTime += sent.Sent.Contains(i) ? 1 : 0;
        }

        Assert.IsGreaterThanOrEqualTo(7, inTime, $"{inTime} of 10");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Streams_are_accepted_or_pushed_and_never_both()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel, server: options => options with { Events = new Listener() });
        Assert.ThrowsExactly<InvalidOperationException>(pair.Client.PushInboundStreams);
        ValueTask<QuicStream> waiting = pair.Server.AcceptInboundStreamAsync(Cancel);
        Assert.ThrowsExactly<InvalidOperationException>(pair.Server.PushInboundStreams);
        pair.Client.TrySendStream([1], default, default, 1);
        await (await waiting).DisposeAsync();
        pair.Server.PushInboundStreams();
        pair.Server.PushInboundStreams();
        await Assert.ThrowsExactlyAsync<InvalidOperationException>(() => pair.Server.AcceptInboundStreamAsync(Cancel).AsTask());
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(1)]
    [DataRow(1025)]
    [DataRow(16384)]
    public async Task Datagrams_that_wait_for_a_listener_are_bounded(int size)
    {
        await using LoopbackPair pair = await ConnectAsync(new Listener(), new Listener());
        byte[] bytes = new byte[size];
        int taken = 0;
        lock (pair.Server.Driver.Gate)
        {
            // No thread can raise them while the gate is held.
            var events = (IConnectionEvents)pair.Server;
            _ = pair.Server.EventQueue.Take();
            for (int i = 0; i < Limits.WaitingEvents + 10; i++)
            {
                events.OnDatagramReceived(bytes, isEarlyData: false, arrivedAt: 0);
            }

            taken = pair.Server.EventQueue.Take()!.Events.Length;
        }

        Assert.AreEqual(Math.Min(Limits.WaitingEvents, Limits.WaitingEventBytes / size), taken);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task What_a_busy_listener_has_no_room_for_is_not_acknowledged()
    {
        const int Tries = 5;
        Listener sent = new(), received = new();
        await using LoopbackPair pair = await ConnectAsync(sent, received);
        byte[] waiting = new byte[Limits.WaitingEventBytes / 64], datagram = new byte[8];
        for (int i = 0; i < Tries; i++)
        {
            lock (pair.Server.Driver.Gate)
            {
                // They wait until the driver runs, which the packet of the datagram is the next to cause.
                var events = (IConnectionEvents)pair.Server;
                _ = pair.Server.EventQueue.Take();
                while (pair.Server.EventQueue.HasRoomFor(waiting.Length))
                {
                    events.OnDatagramReceived(waiting, isEarlyData: false, arrivedAt: 0);
                }
            }

            BinaryPrimitives.WriteInt64BigEndian(datagram, 1 + i);
            Assert.AreEqual(QuicDatagramResult.Queued, pair.Client.TrySendDatagram(datagram, default, 1 + i));
            await Until(() => sent.Datagrams.ContainsKey(1 + i));
        }

        // The peer is told that it arrived only where the listener has it.
        await Until(() => sent.Datagrams.All(one => one.Value == QuicDatagramState.SuspectedLost || received.DatagramTokens.Contains(one.Key)));
        Assert.Contains(QuicDatagramState.SuspectedLost, sent.Datagrams.Values);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task What_a_listener_does_not_take_comes_again_as_a_stream()
    {
        const int Objects = 1000;
        var received = new Listener { TakesOneOf = 3 };
        await using LoopbackPair pair = await ConnectAsync(new Listener(), received);
        byte[] body = new byte[1000], header = new byte[8];
        for (int i = 0; i < Objects; i++)
        {
            BinaryPrimitives.WriteInt64BigEndian(header, i);
            while (pair.Client.TrySendStream(header, body, default, i) != QuicStreamSendResult.Queued)
            {
                await Task.Delay(1, Cancel);
            }
        }

        await Until(() => received.Objects.Count == Objects);
        Assert.AreEqual(0, received.Wrong);
        Assert.IsGreaterThan(600, received.StreamsAccepted);
        Assert.IsLessThan(700, received.StreamsAccepted);
    }

    private async Task<LoopbackPair> ConnectAsync(QuicConnectionEvents client, QuicConnectionEvents server)
    {
        LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel,
            options => options with { Events = client },
            options => options with { Events = server });
        pair.Server.PushInboundStreams();
        return pair;
    }

    private async Task Until(Func<bool> isSo)
    {
        while (!isSo())
        {
            await Task.Delay(5, Cancel);
        }
    }

    private sealed class Listener : QuicConnectionEvents
    {
        private int _inside;
        private int _offered;

        public ConcurrentDictionary<long, int> Objects { get; } = [];

        public ConcurrentBag<long> Sent { get; } = [];

        public ConcurrentBag<long> Acknowledged { get; } = [];

        /// <summary>What was told of each datagram that was sent: suspected to be lost, or acknowledged.</summary>
        public ConcurrentDictionary<long, QuicDatagramState> Datagrams { get; } = [];

        public ConcurrentBag<long> DatagramTokens { get; } = [];

        public Action<long>? OnObject { get; set; }

        public int TakesOneOf { get; init; } = 1;

        public int Overlaps { get; private set; }

        public int Wrong { get; private set; }

        public int Drained { get; private set; }

        public int StreamsAccepted { get; private set; }

        public bool IsClosed { get; private set; }

        public bool ToldAfterEnd { get; private set; }

        public override bool OnStreamReceived(long streamId, ReadOnlySpan<byte> bytes, bool isEarlyData, long arrivedAt)
        {
            if (++_offered % TakesOneOf != 0)
            {
                return false;
            }

            byte[] copy = bytes.ToArray();
            Note(() => Take(copy));
            return true;
        }

        public override void OnStreamAccepted(QuicStream stream) => Note(() =>
        {
            StreamsAccepted++;
            _ = ReadAsync(stream);
        });

        public override void OnStreamSent(long token) => Note(() => Sent.Add(token));

        public override void OnSentStreamAcknowledged(long token) => Note(() => Acknowledged.Add(token));

        public override bool OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt)
        {
            DatagramTokens.Add(BinaryPrimitives.ReadInt64BigEndian(payload));
            return true;
        }

        public override void OnDatagramState(long token, QuicDatagramState state)
        {
            if (state is QuicDatagramState.SuspectedLost or QuicDatagramState.Acknowledged)
            {
                Datagrams.TryAdd(token, state);
            }
        }

        public override void OnEventsDrained() => Drained++;

        public override void OnClosed(QuicException reason) => Note(() => IsClosed = true);

        private async Task ReadAsync(QuicStream stream)
        {
            byte[] bytes = new byte[4096];
            int count = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false);
            await stream.DisposeAsync();
            Take(bytes.AsSpan(0, count));
        }

        private void Take(ReadOnlySpan<byte> bytes)
        {
            long token = bytes.Length >= 8 ? BinaryPrimitives.ReadInt64BigEndian(bytes) : 0;
            OnObject?.Invoke(token);
            if (bytes.Length > 8 && bytes[8..].ContainsAnyExcept(bytes[8]))
            {
                Wrong++;
            }

            if (!Objects.TryAdd(token, bytes.Length - 8))
            {
                Wrong++;
            }
        }

        private void Note(Action what)
        {
            ToldAfterEnd |= IsClosed;
            Overlaps += Interlocked.Exchange(ref _inside, 1);
            what();
            Interlocked.Exchange(ref _inside, 0);
        }
    }
}
