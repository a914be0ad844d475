using Post.Sockets.Associations.Ownership;
using Post.Sockets.Objects;
using Post.Sockets.Scheduling;

namespace Post.Sockets.Associations.Sending;

/// <summary>
/// The writes that the transport has not taken off our hands, oldest first, as far as they count against the window. Everything happens
/// under the association's lock.
/// </summary>
/// <remarks>
/// The window is there for the network. A write that waits for the peer's reader instead, who may be busy with another object, would take
/// room in it for as long as that takes: several of them all of it, and then the object that the reader is busy with could not go on.
/// No transport says what a write waits for, so it is told by time: one that is still there when the transport has taken a whole window
/// that came after it, or nothing at all, is discounted.
/// </remarks>
internal sealed class OutstandingWrites
{
    private static readonly TimeSpan LeastPatience = TimeSpan.FromMilliseconds(200);

    private readonly AssociationState _state;
    private readonly TimedAction _look = new(static _ => { });
    private StreamWrite? _oldest;
    private StreamWrite? _newest;
    private long _taken;
    private long _takenAt;

    public OutstandingWrites(AssociationState state)
    {
        _state = state;
        _takenAt = state.Clock.Now;
    }

    private long Patience => Math.Max(6 * _state.Trips.HalfRtt, _state.Clock.Units(LeastPatience));

    public void Add(StreamWrite write)
    {
        _state.Scheduler.Class(write.Class).HandOver(write.Bytes.Length, write.Entry.Deadline);
        write.HandedOverAt = _state.Clock.Now;
        write.TakenBefore = _taken;
        write.IsCounted = true;
        write.Older = _newest;
        if (_newest is null)
        {
            _oldest = write;
        }
        else
        {
            _newest.Newer = write;
        }

        _newest = write;
    }

    /// <summary>The transport has taken it, or its stream has ended.</summary>
    public void Remove(StreamWrite write)
    {
        _taken += write.Bytes.Length;
        _takenAt = _state.Clock.Now;
        if (write.IsCounted)
        {
            Discount(write);
        }
    }

    /// <summary>
    /// What is still to come, after the writes that are under way, of objects that are served before an entry: begun and not through, they
    /// take the way for so long.
    /// </summary>
    public long RestBefore(SendEntry entry)
    {
        long rest = 0;
        for (var write = _oldest; write is not null; write = write.Newer)
        {
            if (write.Entry is { Owner: OutboundObject { IsEnded: false, Length: { } length } item } other
                && (other.Class < entry.Class || (other.Class == entry.Class && other.Deadline <= entry.Deadline)))
            {
                rest += length - item.Transmission.PayloadTaken;
            }
        }

        return rest;
    }

    /// <summary>The window is full: makes room where it is not the network that is waited for; else sees to it that somebody looks again.</summary>
    public bool TryDiscountStalled(long window)
    {
        var now = _state.Clock.Now;
        var patience = Patience;
        var isAny = false;
        while (_oldest is { } write)
        {
            var stalledAt = write.HandedOverAt + patience;
            if (_taken - write.TakenBefore < window)
            {
                stalledAt = Math.Max(stalledAt, _takenAt + patience);
            }

            if (now < stalledAt)
            {
                if (!isAny)
                {
                    _state.Timers.Set(_look, stalledAt);
                }

                break;
            }

            Discount(write);
            isAny = true;
        }

        return isAny;
    }

    private void Discount(StreamWrite write)
    {
        _state.Scheduler.ReleaseOutstanding(write.Class, write.Bytes.Length);
        write.IsCounted = false;
        if (write.Older is null)
        {
            _oldest = write.Newer;
        }
        else
        {
            write.Older.Newer = write.Newer;
        }

        if (write.Newer is null)
        {
            _newest = write.Older;
        }
        else
        {
            write.Newer.Older = write.Older;
        }

        write.Older = null;
        write.Newer = null;
    }
}
