namespace Post.Quic.Engine.Recovery;

/// <summary>
/// The packets taken for lost lately, so that one that arrives after all is noticed: the loss was reordering, and
/// what it did to the congestion window and to the thresholds can be mended (RFC 9002 section 6.1.1).
/// </summary>
internal sealed class RecentLosses
{
    // A burst of losses larger than this is hardly all reordering.
    private const int Capacity = 64;

    private Entry[]? _entries;
    private int _count;

    public bool IsEmpty => _count == 0;

    public void Add(in SentPacket packet, ulong largestAcked, bool byTime, long now)
    {
        _entries ??= new Entry[Capacity];
        if (_count == Capacity)
        {
            Array.Copy(_entries, 1, _entries, 0, --_count);
        }

        _entries[_count++] = new Entry(
            packet.PacketNumber,
            packet.TimeSent,
            now,
            (int)Math.Min(largestAcked - packet.PacketNumber, int.MaxValue),
            packet.PathIndex,
            byTime);
    }

    /// <summary>Takes out an entry that lies in the range, if there is one.</summary>
    public bool TryTake(ulong smallest, ulong largest, out Entry entry)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_entries![i].PacketNumber >= smallest && _entries[i].PacketNumber <= largest)
            {
                entry = _entries[i];
                Array.Copy(_entries, i + 1, _entries, i, --_count - i);
                return true;
            }
        }

        entry = default;
        return false;
    }

    /// <summary>Forgets what was sent before <paramref name="time"/>: it will not arrive any more.</summary>
    public void ForgetSentBefore(long time)
    {
        int keep = 0;
        while (keep < _count && _entries![keep].TimeSent < time)
        {
            keep++;
        }

        if (keep > 0)
        {
            Array.Copy(_entries!, keep, _entries!, 0, _count -= keep);
        }
    }

    /// <summary>A path is gone, and its index may be given to another.</summary>
    public void ForgetPath(byte index)
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_entries![i].PathIndex != index)
            {
                _entries[kept++] = _entries[i];
            }
        }

        _count = kept;
    }

    public void Clear() => _count = 0;

    /// <summary>A packet taken for lost, and how far behind the largest acknowledged one it was.</summary>
    public readonly record struct Entry(
        ulong PacketNumber,
        long TimeSent,
        long TimeLost,
        int Distance,
        byte PathIndex,
        bool ByTime);
}
