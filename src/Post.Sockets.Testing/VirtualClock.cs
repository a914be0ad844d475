using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>
/// Virtual time: a clock that stands still while there is work to do, and then jumps to the next thing that is due. One thread
/// runs everything, in an order that depends on nothing but what the code does, so a test that passes passes always, and an
/// hour of waiting takes no time.
/// </summary>
/// <remarks>
/// Between two moments all queued work runs, the work that it queues in turn included, before the clock moves. Code under test
/// must wait by this clock (<c>Task.Delay(time, clock)</c>, <c>new CancellationTokenSource(time, clock)</c>) and stay off other
/// threads (<c>Task.Run</c>, <c>SemaphoreSlim.WaitAsync</c>): <see cref="ForeignWork"/> counts where it did not. See
/// docs/testing.md.
/// </remarks>
public sealed class VirtualClock : TimeProvider
{
    private static readonly DateTimeOffset DefaultStart = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // How long to wait, in real time, for work that went astray to other threads before saying that nothing will happen.
    private static readonly TimeSpan StrayGrace = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly DateTimeOffset _start;
    private readonly IndexedHeap<ClockEntry, (long Due, long Sequence), ClockEntry.Slot> _entries = new();
    private readonly Queue<Work> _work = new();
    private readonly Queue<Work> _late = new();
    private readonly VirtualSynchronizationContext _context;
    private long _now;
    private long _sequence;
    private int _pumpThread;
    private long _realStart;
    private bool _realTime;
    private long _foreignWork;

    /// <summary>Makes a clock.</summary>
    /// <param name="start">The time it shows first; null: the first of January 2030, UTC.</param>
    public VirtualClock(DateTimeOffset? start = null)
    {
        _start = start ?? DefaultStart;
        _context = new VirtualSynchronizationContext(this);
        Dispatcher = new VirtualDispatcher(this);
    }

    /// <summary>Queues work between two moments of this clock.</summary>
    public TransportDispatcher Dispatcher { get; }

    /// <summary>The time that passed since the start.</summary>
    public TimeSpan Elapsed => TimeSpan.FromTicks(NowTicks);

    /// <summary>
    /// How often work was queued from a thread other than the one that runs the clock, in virtual time. Not zero: some code left
    /// virtual time, and the run may differ from the next one.
    /// </summary>
    public long ForeignWork => Interlocked.Read(ref _foreignWork);

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    internal long NowTicks => _realTime
        ? Math.Max(Volatile.Read(ref _now), Stopwatch.GetElapsedTime(_realStart).Ticks)
        : Volatile.Read(ref _now);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _start.AddTicks(NowTicks);

    /// <inheritdoc/>
    public override long GetTimestamp() => NowTicks;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Runs a piece of asynchronous code to its end, on this thread and in virtual time.</summary>
    /// <param name="body">The code. Its awaits come back to this thread.</param>
    /// <param name="limit">How much virtual time it may take; null: one hour.</param>
    /// <exception cref="TimeoutException">The limit was reached.</exception>
    /// <exception cref="InvalidOperationException">
    /// Nothing is left that could happen, and the body still waits: for something outside of virtual time, or that never comes.
    /// </exception>
    public void Run(Func<Task> body, TimeSpan? limit = null)
    {
        ArgumentNullException.ThrowIfNull(body);
        long end = NowTicks + (limit ?? TimeSpan.FromHours(1)).Ticks;
        Pump(
            () =>
            {
                SynchronizationContext.SetSynchronizationContext(_context);
                try
                {
                    return body();
                }
                finally
                {
                    SynchronizationContext.SetSynchronizationContext(null);
                }
            },
            end);
    }

    /// <inheritdoc cref="Run(Func{Task}, TimeSpan?)"/>
    /// <typeparam name="T">What the code returns.</typeparam>
    /// <returns>What the body returned.</returns>
    public T Run<T>(Func<Task<T>> body, TimeSpan? limit = null)
    {
        ArgumentNullException.ThrowIfNull(body);
        T result = default!;
        Run(
            async () =>
            {
                result = await body().ConfigureAwait(true);
            },
            limit);
        return result;
    }

    /// <summary>Lets time pass: runs everything that is due until then.</summary>
    /// <param name="duration">How much; zero runs what can run now.</param>
    public void RunFor(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, TimeSpan.Zero);
        Pump(null, NowTicks + duration.Ticks);
    }

    /// <summary>
    /// Runs the clock along with real time, on a thread of its own, until the result is disposed: for a demonstration, or for code
    /// that cannot stay on one thread.
    /// </summary>
    /// <returns>Ends it.</returns>
    public IDisposable RunInRealTime()
    {
        var run = new RealTimeRun(this);
        run.Start();
        return run;
    }

    internal void Schedule(ClockEntry entry, long due)
    {
        lock (_gate)
        {
            entry.Due = Math.Max(due, _now);
            _entries.AddOrUpdate(entry, (entry.Due, ++_sequence));
            Wake();
        }
    }

    internal void Cancel(ClockEntry entry)
    {
        lock (_gate)
        {
            _entries.Remove(entry);
        }
    }

    internal void Enqueue(IThreadPoolWorkItem work) => Enqueue(_work, new Work(work, null, null));

    /// <summary>Queues work that runs when there is no other, and before time moves: to gather what happens at one moment.</summary>
    internal void EnqueueLate(IThreadPoolWorkItem work) => Enqueue(_late, new Work(work, null, null));

    internal void EnqueueInContext(SendOrPostCallback callback, object? state) =>
        Enqueue(_work, new Work(null, callback, state));

    private void Enqueue(Queue<Work> queue, Work work)
    {
        lock (_gate)
        {
            if (!_realTime && _pumpThread != 0 && _pumpThread != Environment.CurrentManagedThreadId)
            {
                _foreignWork++;
            }

            queue.Enqueue(work);
            Wake();
        }
    }

    private void Wake()
    {
        // Only a thread other than the pump's own can find it asleep.
        if (_pumpThread != 0 && _pumpThread != Environment.CurrentManagedThreadId)
        {
            Monitor.PulseAll(_gate);
        }
    }

    private void Pump(Func<Task>? start, long end)
    {
        if (_pumpThread != 0)
        {
            throw new InvalidOperationException(
                "This clock is running already. Inside Run, let time pass with \"await Task.Delay(time, clock)\".");
        }

        SynchronizationContext? outer = SynchronizationContext.Current;

        // While work runs there must be no context: continuations of ConfigureAwait(false) would go to the thread pool.
        SynchronizationContext.SetSynchronizationContext(null);
        _pumpThread = Environment.CurrentManagedThreadId;
        try
        {
            Task? body = start?.Invoke();
            while (true)
            {
                RunWork();
                if (body is { IsCompleted: true })
                {
                    ExceptionDispatchInfo? failure = body.IsCompletedSuccessfully ? null : FailureOf(body);
                    failure?.Throw();
                    return;
                }

                if (!TakeDue(end, body is not null, out ClockEntry? due))
                {
                    return;
                }

                due?.Fire();
            }
        }
        finally
        {
            _pumpThread = 0;
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    private static ExceptionDispatchInfo FailureOf(Task task)
    {
        try
        {
            task.GetAwaiter().GetResult();
            throw new UnreachableException();
        }
        catch (Exception e)
        {
            return ExceptionDispatchInfo.Capture(e);
        }
    }

    /// <summary>Moves to the next moment and takes one entry of it; false when the end of the run is reached.</summary>
    private bool TakeDue(long end, bool mustEnd, out ClockEntry? due)
    {
        lock (_gate)
        {
            if (_entries.TryPeek(out due) && due.Due <= end)
            {
                _entries.Remove(due);
                Volatile.Write(ref _now, due.Due);
                return true;
            }

            bool nothingLeft = due is null;
            due = null;
            if (mustEnd && nothingLeft)
            {
                if (_work.Count > 0 || (Monitor.Wait(_gate, StrayGrace) && _work.Count + _late.Count + _entries.Count > 0))
                {
                    return true;
                }

                throw new InvalidOperationException(
                    $"At {Elapsed} of virtual time nothing is left that could happen, and the code still waits: for something "
                    + "outside of virtual time (Task.Run, Task.Delay without this clock, a real socket), or for what never comes.");
            }

            if (mustEnd)
            {
                throw new TimeoutException($"The code still waits after {TimeSpan.FromTicks(end)} of virtual time.");
            }

            Volatile.Write(ref _now, end);
            return false;
        }
    }

    private void RunWork()
    {
        while (true)
        {
            Work work;
            lock (_gate)
            {
                if (!_work.TryDequeue(out work) && !_late.TryDequeue(out work))
                {
                    return;
                }
            }

            if (work.Item is not null)
            {
                work.Item.Execute();
                continue;
            }

            SynchronizationContext.SetSynchronizationContext(_context);
            try
            {
                work.Callback!(work.State);
            }
            finally
            {
                SynchronizationContext.SetSynchronizationContext(null);
            }
        }
    }

    private readonly record struct Work(IThreadPoolWorkItem? Item, SendOrPostCallback? Callback, object? State);

    private sealed class VirtualDispatcher(VirtualClock clock) : TransportDispatcher
    {
        public override void Queue(IThreadPoolWorkItem work) => clock.Enqueue(work);
    }

    /// <summary>Brings the awaits of code inside <see cref="Run(Func{Task}, TimeSpan?)"/> back to the thread that runs it.</summary>
    private sealed class VirtualSynchronizationContext(VirtualClock clock) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => clock.EnqueueInContext(d, state);

        public override void Send(SendOrPostCallback d, object? state)
        {
            if (clock._pumpThread != Environment.CurrentManagedThreadId)
            {
                throw new NotSupportedException("Another thread cannot wait for virtual time.");
            }

            d(state);
        }

        public override SynchronizationContext CreateCopy() => this;
    }

    private sealed class RealTimeRun(VirtualClock clock) : IDisposable
    {
        private Thread? _thread;
        private volatile bool _stopping;
        private bool _finished;

        public void Start()
        {
            lock (clock._gate)
            {
                if (clock._pumpThread != 0)
                {
                    throw new InvalidOperationException("This clock is running already.");
                }

                clock._realStart = Stopwatch.GetTimestamp() - (long)(clock._now * (Stopwatch.Frequency / (double)TimeSpan.TicksPerSecond));
                clock._realTime = true;
                _thread = new Thread(Loop) { IsBackground = true, Name = "Post in-memory network" };
                clock._pumpThread = _thread.ManagedThreadId;
            }

            _thread.UnsafeStart();
        }

        public void Dispose()
        {
            lock (clock._gate)
            {
                if (_stopping)
                {
                    return;
                }

                _stopping = true;
                Monitor.PulseAll(clock._gate);
            }

            if (_thread == Thread.CurrentThread)
            {
                // Code that runs on the clock's own thread ends it: there is nobody to wait for.
                Finish();
            }
            else
            {
                _thread!.Join();
            }
        }

        private void Loop()
        {
            while (!_stopping)
            {
                clock.RunWork();
                WaitForDue()?.Fire();
            }

            Finish();
        }

        private void Finish()
        {
            lock (clock._gate)
            {
                if (!_finished)
                {
                    _finished = true;
                    clock._now = clock.NowTicks;
                    clock._realTime = false;
                    clock._pumpThread = 0;
                }
            }
        }

        private ClockEntry? WaitForDue()
        {
            lock (clock._gate)
            {
                if (_stopping || clock._work.Count + clock._late.Count > 0)
                {
                    return null;
                }

                _ = clock._entries.TryPeek(out ClockEntry? due);
                long wait = due is null ? Timeout.Infinite : (due.Due - clock.NowTicks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond;
                if (due is not null && wait <= 0)
                {
                    clock._entries.Remove(due);
                    clock._now = Math.Max(clock._now, due.Due);
                    return due;
                }

                Monitor.Wait(clock._gate, (int)Math.Min(wait, int.MaxValue));
                return null;
            }
        }
    }
}
