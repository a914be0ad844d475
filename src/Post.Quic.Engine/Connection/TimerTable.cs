using System.Runtime.CompilerServices;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// When each timer of a connection is due. A dozen numbers: looking at all of them is cheaper than any tree, and the
/// minimum is only computed after a change.
/// </summary>
internal struct TimerTable
{
    private Deadlines _deadlines;
    private long _next;

    public TimerTable()
    {
        StopAll();
    }

    /// <summary>The earliest of all; <see cref="long.MaxValue"/> when none is set.</summary>
    public long Next
    {
        get
        {
            if (_next == long.MinValue)
            {
                _next = long.MaxValue;
                for (int i = 0; i < (int)TimerId.Count; i++)
                {
                    _next = Math.Min(_next, _deadlines[i]);
                }
            }

            return _next;
        }
    }

    public readonly long this[TimerId timer] => _deadlines[(int)timer];

    public void Set(TimerId timer, long deadline)
    {
        ref long current = ref _deadlines[(int)timer];
        if (current == deadline)
        {
            return;
        }

        // A change above the minimum leaves it as it is.
        _next = deadline <= _next ? deadline : current == _next ? long.MinValue : _next;
        current = deadline;
    }

    public void Stop(TimerId timer) => Set(timer, long.MaxValue);

    /// <summary>True once for a timer that is due; it is stopped.</summary>
    public bool TryExpire(TimerId timer, long now)
    {
        if (_deadlines[(int)timer] > now)
        {
            return false;
        }

        Stop(timer);
        return true;
    }

    public void StopAll()
    {
        for (int i = 0; i < (int)TimerId.Count; i++)
        {
            _deadlines[i] = long.MaxValue;
        }

        _next = long.MaxValue;
    }

    [InlineArray((int)TimerId.Count)]
    private struct Deadlines
    {
        private long _element0;
    }
}
