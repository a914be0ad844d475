using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// The packets taken for lost lately, so that one that arrives after all is noticed: the loss was reordering, and
/// what it did to the congestion window and to the thresholds can be mended (RFC 9002 section 6.1.1).
/// </summary>
internal sealed class RecentLosses
{
    // A burst of losses larger than this is hardly all reordering.
    private const int Capacity = 64;

    private readonly List<(ulong PacketNumber, SentFrame Frame)> _datagrams = [];
    private Entry[]? _entries;
    private int _count;

    public bool IsEmpty => _count == 0 && _datagrams.Count == 0;

    /// <summary>
    /// A DATAGRAM frame went down with a packet: its sender is told if it arrived after all. Nothing is sent again for it,
    /// so it is worth remembering for longer than what the loss said about congestion.
    /// </summary>
    public void AddDatagram(ulong packetNumber, in SentFrame frame)
    {
        if (_datagrams.Count == Limits.SuspectedDatagrams)
        {
            _datagrams.RemoveAt(0);
        }

        _datagrams.Add((packetNumber, frame));
    }

    /// <summary>Takes out a datagram whose packet lies in the range, if there is one.</summary>
    public bool TryTakeDatagram(ulong smallest, ulong largest, out SentFrame frame)
    {
        for (int i = 0; i < _datagrams.Count; i++)
        {
            if (_datagrams[i].PacketNumber >= smallest && _datagrams[i].PacketNumber <= largest)
            {
                frame = _datagrams[i].Frame;
                _datagrams.RemoveAt(i);
                return true;
            }
        }

        frame = default;
        return false;
    }

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
            packet.NetworkIndex,
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

    /// <summary>A network is gone, and its index may be given to another.</summary>
    public void ForgetNetwork(byte index)
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_entries![i].NetworkIndex != index)
            {
                _entries[kept++] = _entries[i];
            }
        }

        _count = kept;
    }

    public void Clear()
    {
        _count = 0;
        _datagrams.Clear();
    }

    /// <summary>A packet taken for lost, and how far behind the largest acknowledged one it was.</summary>
    public readonly record struct Entry(
        ulong PacketNumber,
        long TimeSent,
        long TimeLost,
        int Distance,
        byte NetworkIndex,
        bool ByTime);
}
