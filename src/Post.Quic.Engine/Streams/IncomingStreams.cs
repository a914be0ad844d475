using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// The streams of one kind that the peer opens: which exist, which were accepted, and how many more it may open
/// (RFC 9000 section 4.6). Four numbers stand for all the streams that are gone.
/// </summary>
internal sealed class IncomingStreams(ulong concurrent, bool bidirectional)
{
    private const long MicrosecondsPerAborted = 1_000_000 / Limits.AbortedStreamsPerSecond;

    private long _tokens = Limits.AbortedStreamBurst;
    private long _refilledAt;
    private ulong _withheld;
    private ulong _returned;
    private RangeSet _unseen;

    public bool IsBidirectional { get; } = bidirectional;

    /// <summary>Ids with an index below were opened, by a frame of theirs or of a later one (RFC 9000 section 3.2).</summary>
    public ulong Opened { get; private set; }

    /// <summary>Ids with an index below were handed to the application, in this order.</summary>
    public ulong Accepted { get; private set; }

    /// <summary>The limit that the peer was told last.</summary>
    public ulong Announced { get; private set; } = Math.Min(concurrent, StreamId.MaxCount);

    public bool HasToAccept => Accepted < Opened;

    /// <summary>Streams are handed over as they arrive, and not in the order of their ids.</summary>
    public bool IsPushed { get; private set; }

    /// <summary>The limit that a frame sent now announces.</summary>
    public ulong NextLimit => Math.Min(concurrent + _returned, StreamId.MaxCount);

    /// <summary>Told in batches while the peer has plenty left, and at once when it runs short.</summary>
    public bool UpdateDue
    {
        get
        {
            ulong next = NextLimit;
            return next > Announced
                && (next - Announced >= Math.Max(1, concurrent / 8) || Announced - Opened <= concurrent / 2);
        }
    }

    /// <summary>When withheld credit can be given next; <see cref="long.MaxValue"/>: none is withheld.</summary>
    public long NextTimeout => _withheld == 0 ? long.MaxValue : _refilledAt + MicrosecondsPerAborted;

    public void OpenUpTo(ulong index) => Opened = Math.Max(Opened, index + 1);

    public ulong TakeNext() => Accepted++;

    /// <summary>Begins to hand streams over as they arrive. Of those that were opened and not accepted, nothing has been seen so far.</summary>
    public void BeginPushing()
    {
        IsPushed = true;
        _unseen.Add(Accepted, Opened);
        Accepted = Opened;
    }

    /// <summary>Nothing of the stream has arrived before: it is not open, or was opened by a later one.</summary>
    public bool IsNew(ulong index) => index >= Opened || (!_unseen.IsEmpty && _unseen.Contains(index));

    /// <summary>
    /// The first of a stream has arrived. Lower ones are open with it (RFC 9000 section 3.2) and count against the limit, which bounds
    /// the ranges that are remembered of them.
    /// </summary>
    public void OpenPushed(ulong index)
    {
        if (index < Opened)
        {
            _unseen.Remove(index, index + 1);
            return;
        }

        _unseen.Add(Opened, index);
        Opened = Accepted = index + 1;
    }

    /// <summary>A stream is gone, and what it occupied can be used for another one.</summary>
    public void OnClosed(bool abortedByPeer, long now)
    {
        if (abortedByPeer)
        {
            _withheld++;
            Release(now);
        }
        else
        {
            _returned++;
        }
    }

    /// <summary>Gives back what the pace allows by now.</summary>
    public void Release(long now)
    {
        if (_tokens == Limits.AbortedStreamBurst)
        {
            // A full bucket gains nothing by waiting.
            _refilledAt = now;
        }
        else
        {
            long gained = Math.Max(0, now - _refilledAt) / MicrosecondsPerAborted;
            _refilledAt += gained * MicrosecondsPerAborted;
            _tokens = Math.Min(Limits.AbortedStreamBurst, _tokens + gained);
        }

        ulong released = Math.Min(_withheld, (ulong)_tokens);
        _tokens -= (long)released;
        _withheld -= released;
        _returned += released;
    }

    public ulong Announce() => Announced = Math.Max(Announced, NextLimit);
}
