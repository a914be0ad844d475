namespace Post.Sockets.Scheduling;

/// <summary>
/// All the moments that one association waits for, behind one timer: objects come by the hundred thousand, timers of the platform do not.
/// </summary>
internal sealed class TimerQueue : IDisposable
{
    private readonly IndexedHeap<ITimed, long, Slot> _heap = new();
    private readonly ITimer _timer;
    private readonly Clock _clock;
    private readonly Action _wake;
    private long _armedFor = long.MaxValue;

    public TimerQueue(Clock clock, Action wake)
    {
        _clock = clock;
        _wake = wake;

        // What flows with the caller (AsyncLocal, Activity, scopes of a log) is the caller's; the association outlives the call.
        using (ExecutionContext.SuppressFlow())
        {
            _timer = clock.Provider.CreateTimer(
                static state => ((TimerQueue)state!).OnFired(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Sets, or moves, the moment of an item.</summary>
    public void Set(ITimed item, long when) => _heap.AddOrUpdate(item, when);

    /// <summary>Forgets the moment of an item.</summary>
    public void Cancel(ITimed item) => _heap.Remove(item);

    /// <summary>Calls every item whose moment has come.</summary>
    public void RunDue(long now)
    {
        while (_heap.Count > 0 && _heap.PeekKey <= now)
        {
            _heap.Pop().OnDue(now);
        }
    }

    /// <summary>The next moment; <see cref="long.MaxValue"/> for none.</summary>
    public long Next => _heap.Count == 0 ? long.MaxValue : _heap.PeekKey;

    /// <summary>Sets the timer for the next moment.</summary>
    public void Arm(long next, long now)
    {
        if (next == long.MaxValue)
        {
            return;
        }

        // A timer set too early costs one empty run of the pump; one set again for every object would cost more.
        var armedFor = Volatile.Read(ref _armedFor);
        if (armedFor > now && armedFor <= next)
        {
            return;
        }

        Volatile.Write(ref _armedFor, next);
        var wait = _clock.Span(Math.Max(0, next - now));

        // Timers fire in whole milliseconds: never a moment too early, or the pump would spin.
        var rounded = TimeSpan.FromMilliseconds(Math.Min(Math.Ceiling(wait.TotalMilliseconds), 1e9));
        _timer.Change(rounded, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();

    // The platform counts in whole ticks and may fire a little before the moment: the pump then finds nothing due, and must
    // set the timer anew instead of relying on it. Set anew meanwhile, it costs one more setting.
    private void OnFired()
    {
        Volatile.Write(ref _armedFor, long.MaxValue);
        _wake();
    }

    private readonly struct Slot : IHeapSlot<ITimed>
    {
        public static int Get(ITimed item) => item.TimerIndex;

        public static void Set(ITimed item, int index) => item.TimerIndex = index;
    }
}
