using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Udp;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// Runs one connection's core: serializes all that touches it, raises its events, sends what it builds, and calls it when its time has
/// come. Datagrams are built under the gate and sent outside of it, as events are raised.
/// </summary>
/// <remarks>
/// Of all threads that have work for the connection, the one that finds it idle does the work, and what others add meanwhile.
/// </remarks>
internal sealed class ConnectionDriver : IThreadPoolWorkItem, IDisposable
{
    private const int Idle = 0;
    private const int Running = 1;
    private const int RunAgain = 2;

    /// <summary>
    /// Turns of one thread of the application in the driver, before the thread pool goes on: what was sent leaves in the first, and the
    /// second is for what its events brought about. The thread has work of its own.
    /// </summary>
    private const int TurnsOfCaller = 2;

    /// <summary>The timers of .NET are good for milliseconds; below that they only burn the CPU.</summary>
    private const long TimerResolution = 1_000;

    /// <summary>What ITimer takes at most, with room to spare; a longer wait wakes up and waits again.</summary>
    private const long LongestWait = 24L * 60 * 60 * 1_000_000;

    private readonly IDatagramSender _sender;
    private readonly EndpointClock _clock;
    private readonly ITimer _timer;
    private readonly Action<Exception> _onFault;
    private readonly Func<bool, EventBatch?> _takeEvents;
    private readonly Action<EventBatch> _raise;
    private readonly StalledSends _stalled = new();
    private long _armedFor = long.MaxValue;
    private int _state;
    private int _isWritable;

    // The thread that raises events and sends after it: what a listener gives to be sent needs to wake nobody.
    private int _raiser;
    private bool _isDrained;

    /// <param name="sender">Takes what the core builds.</param>
    /// <param name="clock">The time.</param>
    /// <param name="onFault">Told of whatever is thrown by the work that no caller waits for.</param>
    /// <param name="takeEvents">Under the gate: takes the events that wait to be raised; with true, those of streams that arrived among them.</param>
    /// <param name="raise">Raises them, without the gate.</param>
    public ConnectionDriver(
        IDatagramSender sender, EndpointClock clock, Action<Exception> onFault, Func<bool, EventBatch?> takeEvents, Action<EventBatch> raise)
    {
        _onFault = onFault;
        _takeEvents = takeEvents;
        _raise = raise;
        _sender = sender;
        _clock = clock;

        // What flows with the caller (AsyncLocal, Activity, scopes of a log) is the caller's; the connection outlives the call.
        using (ExecutionContext.SuppressFlow())
        {
            _timer = clock.TimeProvider.CreateTimer(
                static state => ((ConnectionDriver)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Held around every use of <see cref="Core"/>; never across I/O or a user's code.</summary>
    public Lock Gate { get; } = new();

    [AllowNull]
    public ConnectionCore Core
    {
        get => field ?? throw new InvalidOperationException("The connection is being set up.");
        set
        {
            field = value;
            IsSetUp = true;
        }
    }

    /// <summary>False while the core's constructor runs, which tells of its first path already.</summary>
    public bool IsSetUp { get; private set; }

    public long Now => _clock.Now;

    public EndpointClock Clock => _clock;

    /// <summary>Under the gate: what was just given to the core leaves as soon when it is sent on this thread, and gathers nothing by waiting.</summary>
    public bool IsQuiet => Core.BusySince switch
    {
        long.MinValue => true,
        long.MaxValue => false,
        var last => _clock.Now - last >= Limits.QuietTime,
    };

    /// <summary>Something in the core changed that may want to be sent; the thread pool sees to it.</summary>
    public void Wake()
    {
        if (TryClaim())
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
        }
    }

    /// <summary>The same on this thread, for those who have nothing better to do: the receiving thread, a timer.</summary>
    public void WakeHere()
    {
        if (TryClaim())
        {
            Execute();
        }
    }

    /// <summary>A socket that was full has room again, or is closed.</summary>
    public void OnWritable()
    {
        Volatile.Write(ref _isWritable, 1);
        WakeHere();
    }

    /// <summary>The application gave something to send: on a quiet connection it is sent on this thread, else by the thread pool.</summary>
    /// <param name="isQuiet">What <see cref="IsQuiet"/> was when it was given.</param>
    public void WakeToSend(bool isQuiet)
    {
        if (!isQuiet)
        {
            Wake();
        }
        else if (TryClaim())
        {
            Run(TurnsOfCaller);
        }
    }

    public void Execute() => Run(int.MaxValue);

    private void Run(int turns)
    {
        while (true)
        {
            Volatile.Write(ref _state, Running);

            // What has arrived is told before anything is sent, so that answers go with the acknowledgements.
            _raiser = Environment.CurrentManagedThreadId;
            RaiseEvents(beforeSending: true);
            _raiser = 0;
            EventBatch? events = null;
            try
            {
                Flush(out events);
            }
            catch (Exception error)
            {
                // On a timer or the thread pool it would end the process, on the receiving thread all connections of the socket.
                _onFault(error);
            }

            if (events is not null)
            {
                _raise(events);
            }

            if (Interlocked.CompareExchange(ref _state, Idle, Running) == Running)
            {
                return;
            }

            if (--turns == 0)
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
                return;
            }
        }
    }

    private void RaiseEvents(bool beforeSending)
    {
        EventBatch? batch;
        lock (Gate)
        {
            batch = _takeEvents(beforeSending);
        }

        if (batch is not null)
        {
            _raise(batch);
        }
    }

    /// <summary>The core needs nothing any more; called under the gate.</summary>
    public void OnDrained()
    {
        _isDrained = true;

        // A timer that is still set for the idle timeout would keep the whole connection in memory until then.
        _timer.Dispose();
    }

    public void Dispose()
    {
        _timer.Dispose();
        lock (Gate)
        {
            Core.Dispose();
        }
    }

    private bool TryClaim()
    {
        if (_raiser == Environment.CurrentManagedThreadId)
        {
            return false;
        }

        while (true)
        {
            int seen = Volatile.Read(ref _state);
            if (seen == RunAgain)
            {
                return false;
            }

            int next = seen == Idle ? Running : RunAgain;
            if (Interlocked.CompareExchange(ref _state, next, seen) == seen)
            {
                return seen == Idle;
            }
        }
    }

    private void OnTimer()
    {
        lock (Gate)
        {
            _armedFor = long.MaxValue;
        }

        WakeHere();
    }

    /// <summary>Sends all that can be sent now.</summary>
    /// <param name="events">What happened meanwhile and is to be raised.</param>
    private void Flush(out EventBatch? events)
    {
        events = null;
        if (_stalled.AreAny && Interlocked.Exchange(ref _isWritable, 0) != 0)
        {
            SendStalled();
        }

        UdpBuffer buffer = UdpBufferPool.Shared.Rent();
        while (true)
        {
            int length;
            OutgoingDatagrams batch;
            lock (Gate)
            {
                long now = _clock.Now;
                if (Core.NextTimeout <= now)
                {
                    Core.HandleTimeout(now);
                }

                length = Core.BuildDatagrams(buffer.Span[..UdpSocket.MaxBytesPerSend], now, out batch);
                if (length == 0)
                {
                    events = _takeEvents(false);
                    Arm(now);
                    break;
                }
            }

            UdpSendResult result = _sender.Send(buffer.Span[..length], batch, out int sent);
            if (result == UdpSendResult.WouldBlock)
            {
                Stall(buffer, batch, sent);
                buffer = UdpBufferPool.Shared.Rent();
                continue;
            }

            Report(result, batch);
        }

        UdpBufferPool.Shared.Return(buffer);
    }

    /// <summary>A socket is full: what is left waits for it, and only what goes by other sockets is built meanwhile.</summary>
    private void Stall(UdpBuffer buffer, in OutgoingDatagrams batch, int sent)
    {
        _stalled.Add(buffer, batch, sent);
        lock (Gate)
        {
            Core.OnSocketFull(batch.Local, isFull: true, _clock.Now);
        }

        _sender.WakeWhenWritable(this, batch);
    }

    private void SendStalled()
    {
        int stillFull = 0;
        while (_stalled.TryGet(stillFull, out StalledSend stalled))
        {
            UdpSendResult result = _sender.Send(stalled.Rest, stalled.Batch, out int sent);
            if (result == UdpSendResult.WouldBlock)
            {
                _stalled.Advance(stillFull++, sent);
                _sender.WakeWhenWritable(this, stalled.Batch);
                continue;
            }

            UdpBufferPool.Shared.Return(stalled.Buffer);
            if (_stalled.Remove(stillFull))
            {
                lock (Gate)
                {
                    Core.OnSocketFull(stalled.Batch.Local, isFull: false, _clock.Now);
                }
            }

            Report(result, stalled.Batch);
        }
    }

    /// <summary>Whatever else went wrong is a loss like any other, and recovered from like one.</summary>
    private void Report(UdpSendResult result, in OutgoingDatagrams batch)
    {
        if (result == UdpSendResult.TooBig)
        {
            lock (Gate)
            {
                Core.OnTooBig(batch, _clock.Now);
            }
        }

        if (result.ToRefusal() is var refusal and not SocketError.Success)
        {
            lock (Gate)
            {
                Core.OnRefused(batch, refusal, _clock.Now);
            }
        }
    }

    // An earlier time only: a timer that fires too early finds nothing to do and is set again, which costs less than
    // setting it anew with every packet.
    private void Arm(long now)
    {
        long next = _isDrained ? long.MaxValue : Math.Min(Core.NextTimeout, Core.Rest(now));
        if (next >= _armedFor)
        {
            return;
        }

        _armedFor = next;
        long wait = Math.Clamp(next - now, 0, LongestWait);
        _timer.Change(TimeSpan.FromMilliseconds((wait + TimerResolution - 1) / TimerResolution), Timeout.InfiniteTimeSpan);
    }
}
