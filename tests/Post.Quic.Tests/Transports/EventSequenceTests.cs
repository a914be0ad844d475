using Post.Quic.SystemNetQuic;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>The events of a connection of System.Net.Quic come one at a time, whatever threads tell of them.</summary>
[TestClass]
public sealed class EventSequenceTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void What_comes_from_inside_an_event_follows_it()
    {
        var listener = new Listener();
        var events = new EventSequence(listener);
        listener.OnFirst = () =>
        {
            byte[] payload = [2];
            events.OnDatagramReceived(payload, true, 20);
            payload[0] = 99;
            events.OnDatagramState(7, TransportDatagramState.Lost);
            listener.Seen.Add("first ends");
        };

        events.OnDatagramReceived([1], false, 10);

        CollectionAssert.AreEqual(
            new[] { "datagram 1 False 10", "first ends", "datagram 2 True 20", "state 7 Lost", "drained" }, listener.Seen);
    }

    [TestMethod]
    public void What_is_added_under_a_lock_is_raised_by_the_flush_after_it()
    {
        var listener = new Listener();
        var events = new EventSequence(listener);
        events.AddDatagramState(1, TransportDatagramState.Sent);
        events.AddMaxDatagramSize(1200);
        Assert.IsEmpty(listener.Seen);

        events.Flush();
        events.Flush();

        CollectionAssert.AreEqual(new[] { "state 1 Sent", "size 1200", "drained" }, listener.Seen);
    }

    [TestMethod]
    public void A_datagram_does_not_overtake_what_was_added_before_it()
    {
        var listener = new Listener();
        var events = new EventSequence(listener);
        events.AddDatagramState(1, TransportDatagramState.Sent);

        events.OnDatagramReceived([5], false, 0);

        CollectionAssert.AreEqual(new[] { "state 1 Sent", "datagram 5 False 0", "drained" }, listener.Seen);
    }

    [TestMethod]
    public void Nothing_follows_the_close()
    {
        var listener = new Listener();
        var events = new EventSequence(listener);
        events.OnClosed(new TransportException(TransportErrorReason.ClosedLocally, "over"));
        events.OnDatagramReceived([1], false, 0);
        events.OnHandshakeCompleted();

        CollectionAssert.AreEqual(new[] { "closed" }, listener.Seen);
    }

    [TestMethod]
    public void Datagrams_that_wait_are_bounded()
    {
        var listener = new Listener();
        var events = new EventSequence(listener);
        listener.OnFirst = () =>
        {
            for (int i = 0; i < 1025; i++)
            {
                events.OnDatagramReceived([2], false, i);
            }
        };

        events.OnDatagramReceived([1], false, 0);

        Assert.AreEqual(1 + 1024, listener.Seen.Count(static seen => seen.StartsWith("datagram", StringComparison.Ordinal)));
        events.OnDatagramReceived([3], false, 0);
        Assert.AreEqual("datagram 3 False 0", listener.Seen[^2], "Later ones come again.");
    }

    [TestMethod]
    public void A_listener_that_throws_does_not_silence_the_connection()
    {
        var listener = new Listener { OnFirst = static () => throw new FormatException() };
        var events = new EventSequence(listener);

        Assert.ThrowsExactly<FormatException>(() => events.OnDatagramReceived([1], false, 0));
        events.OnDatagramReceived([2], false, 0);

        Assert.Contains("datagram 2 False 0", listener.Seen);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Threads_never_raise_two_events_at_once_and_lose_none()
    {
        const int Threads = 8;
        const int Each = 2000;
        var listener = new Listener { IsCounting = true };
        var events = new EventSequence(listener);
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(
            () =>
            {
                for (int i = 0; i < Each; i++)
                {
                    if (i % 2 == 0)
                    {
                        events.OnDatagramState(thread, TransportDatagramState.Acknowledged);
                    }
                    else
                    {
                        events.OnStreamStopped(null!, i);
                    }
                }
            },
            TestContext.CancellationToken)));

        Assert.AreEqual(Threads * Each, listener.Count);
        Assert.IsFalse(listener.WasTwiceAtOnce);
    }

    private sealed class Listener : TransportEvents
    {
        private int _inside;

        public List<string> Seen { get; } = [];

        public Action? OnFirst { get; set; }

        public bool IsCounting { get; init; }

        public int Count { get; private set; }

        public bool WasTwiceAtOnce { get; private set; }

        public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt)
        {
            Seen.Add($"datagram {payload[0]} {isEarlyData} {arrivedAt}");
            (Action? first, OnFirst) = (OnFirst, null);
            first?.Invoke();
        }

        public override void OnDatagramState(long token, TransportDatagramState state) => See($"state {token} {state}");

        public override void OnMaxDatagramSizeChanged(int maxDatagramSize) => See($"size {maxDatagramSize}");

        public override void OnStreamStopped(TransportStream stream, long errorCode) => See("stopped");

        public override void OnHandshakeCompleted() => See("handshake");

        public override void OnClosed(TransportException reason) => See("closed");

        public override void OnEventsDrained()
        {
            if (!IsCounting)
            {
                Seen.Add("drained");
            }
        }

        private void See(string what)
        {
            WasTwiceAtOnce |= Interlocked.Increment(ref _inside) != 1;
            if (IsCounting)
            {
                Count++;
                Thread.SpinWait(20);
            }
            else
            {
                Seen.Add(what);
            }

            Interlocked.Decrement(ref _inside);
        }
    }
}
