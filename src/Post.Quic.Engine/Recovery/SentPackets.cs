using System.Buffers;
using System.Numerics;
using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// The packets of one space that are neither settled nor forgotten: a ring indexed by packet number. Numbers are
/// dense, so that finding a packet is one masked index; skipped numbers are holes in it.
/// </summary>
internal sealed class SentPackets : IDisposable
{
    private const int SmallestCapacity = 16;

    private SentPacket[] _ring = [];
    private int _capacity;
    private ulong _first;
    private ulong _end;

    /// <summary>The lowest number still kept.</summary>
    public ulong First => _first;

    /// <summary>One above the highest number kept.</summary>
    public ulong End => _end;

    /// <summary>Entries in the ring, holes and settled ones behind an outstanding head included.</summary>
    public int Length => (int)(_end - _first);

    /// <summary>Packets neither acknowledged nor lost.</summary>
    public int OutstandingCount { get; private set; }

    public int Capacity => _capacity;

    /// <summary>The entry of a number between <see cref="First"/> and <see cref="End"/>.</summary>
    public ref SentPacket this[ulong packetNumber] => ref _ring[(int)(packetNumber & (ulong)(_capacity - 1))];

    public bool Contains(ulong packetNumber) => packetNumber - _first < _end - _first;

    /// <summary>Adds the next packet. Numbers between the last one and this become holes.</summary>
    public ref SentPacket Add(in SentPacket packet)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(packet.PacketNumber, _end);
        if (_first == _end)
        {
            _first = _end = packet.PacketNumber;
        }

        while (_end < packet.PacketNumber)
        {
            ref SentPacket hole = ref Append();
            hole = default;
            hole.PacketNumber = _end - 1;
            hole.State = SentPacketState.Skipped;
        }

        ref SentPacket entry = ref Append();
        entry = packet;
        entry.State = SentPacketState.Outstanding;
        OutstandingCount++;
        return ref entry;
    }

    /// <summary>The packet is acknowledged, lost or forgotten.</summary>
    public void Settle(ref SentPacket packet, SentPacketState state)
    {
        packet.State = state;
        OutstandingCount--;
    }

    public bool IsOutstanding(ulong packetNumber) =>
        Contains(packetNumber) && this[packetNumber].State == SentPacketState.Outstanding;

    /// <summary>Drops what is settled at the head; returns false when nothing is left.</summary>
    public bool Trim()
    {
        while (_first != _end && this[_first].State != SentPacketState.Outstanding)
        {
            _first++;
        }

        if (_first == _end && _capacity > Limits.SentPacketsKeptWhenIdle)
        {
            Release();
        }

        return _first != _end;
    }

    /// <summary>Gives the ring back where nothing is in it.</summary>
    public void Rest()
    {
        if (!Trim())
        {
            Release();
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _first = _end;
        OutstandingCount = 0;
    }

    public void Dispose()
    {
        Clear();
        Release();
    }

    private void Release()
    {
        if (_capacity != 0)
        {
            ArrayPool<SentPacket>.Shared.Return(_ring);
        }

        _ring = [];
        _capacity = 0;
    }

    private ref SentPacket Append()
    {
        if (Length == _capacity)
        {
            Grow();
        }

        return ref this[_end++];
    }

    private void Grow()
    {
        int capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(SmallestCapacity, _capacity * 2));
        SentPacket[] ring = ArrayPool<SentPacket>.Shared.Rent(capacity);
        for (ulong n = _first; n != _end; n++)
        {
            ring[(int)(n & (ulong)(capacity - 1))] = this[n];
        }

        if (_capacity != 0)
        {
            ArrayPool<SentPacket>.Shared.Return(_ring);
        }

        _ring = ring;
        _capacity = capacity;
    }
}
