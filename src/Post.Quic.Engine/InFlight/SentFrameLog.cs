using System.Buffers;
using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.InFlight;

/// <summary>
/// What the packets of one packet-number space carried, in the order it was sent: a ring of values from a pool that
/// fills at the tail while a packet is built and frees from the head as packets are settled.
/// </summary>
/// <remarks>
/// The packet builder and whoever writes frames call <see cref="Record"/>. The frames recorded since the last
/// <see cref="Commit"/> belong to the packet being built; a packet that is not sent after all calls
/// <see cref="Discard"/>.
/// </remarks>
internal sealed class SentFrameLog : IDisposable
{
    private const int SmallestCapacity = 16;

    private SentFrame[] _ring = [];
    private int _capacity;
    private long _head;
    private long _committed;
    private long _tail;

    /// <summary>Frames of packets in flight and of the packet being built.</summary>
    public int Count => (int)(_tail - _head);

    /// <summary>Frames of the packet being built.</summary>
    public int PendingCount => (int)(_tail - _committed);

    /// <summary>Entries the ring can hold before it grows: what the log costs while nothing is in flight.</summary>
    public int Capacity => _capacity;

    /// <summary>The most urgent of what the packet being built repeats for the last time; null where that is nothing.</summary>
    public LastTry? LastTry { get; private set; }

    /// <summary>The packet being built repeats something for the last time.</summary>
    public void Mark(LastTry lastTry) => LastTry ??= lastTry;

    /// <summary>Adds a frame to the packet being built.</summary>
    public void Record(in SentFrame frame)
    {
        if (_tail - _head == _capacity)
        {
            Grow();
        }

        _ring[_tail & (_capacity - 1)] = frame;
        _tail++;
    }

    /// <summary>Copies the last frames of the packet being built.</summary>
    public void CopyPending(Span<SentFrame> frames)
    {
        long first = _tail - frames.Length;
        for (int i = 0; i < frames.Length; i++)
        {
            frames[i] = _ring[(first + i) & (_capacity - 1)];
        }
    }

    /// <summary>The packet being built will not be sent.</summary>
    public void Discard()
    {
        _tail = _committed;
        LastTry = null;
    }

    /// <summary>The packet being built was sent: its slice.</summary>
    internal (long First, int Count) Commit()
    {
        (long First, int Count) slice = (_committed, (int)(_tail - _committed));
        _committed = _tail;
        LastTry = null;
        return slice;
    }

    /// <summary>A frame of a packet in flight, for whoever rearranges it.</summary>
    internal ref SentFrame At(long position) => ref _ring[position & (_capacity - 1)];

    /// <summary>A frame of a packet in flight.</summary>
    internal ref readonly SentFrame this[long position] => ref _ring[position & (_capacity - 1)];

    /// <summary>Everything before <paramref name="position"/> is settled.</summary>
    internal void FreeUpTo(long position)
    {
        _head = Math.Clamp(position, _head, _committed);
        if (_head == _tail && _capacity > Limits.SentFramesKeptWhenIdle)
        {
            Dispose();
        }
    }

    /// <summary>Gives the ring back where nothing is in it.</summary>
    internal void Rest()
    {
        if (Count == 0)
        {
            Dispose();
        }
    }

    /// <summary>Everything that was sent is settled.</summary>
    internal void FreeAll() => FreeUpTo(_committed);

    /// <summary>Gives the ring back to the pool; the log is empty and can be used again.</summary>
    public void Dispose()
    {
        if (_capacity != 0)
        {
            ArrayPool<SentFrame>.Shared.Return(_ring);
        }

        _ring = [];
        _capacity = 0;
        _head = _committed = _tail;
    }

    private void Grow()
    {
        int capacity = Math.Max(SmallestCapacity, _capacity * 2);
        SentFrame[] ring = ArrayPool<SentFrame>.Shared.Rent(capacity);
        for (long i = _head; i < _tail; i++)
        {
            ring[i & (capacity - 1)] = _ring[i & (_capacity - 1)];
        }

        if (_capacity != 0)
        {
            ArrayPool<SentFrame>.Shared.Return(_ring);
        }

        _ring = ring;
        _capacity = capacity;
    }
}
