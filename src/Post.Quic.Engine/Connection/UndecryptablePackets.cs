using System.Buffers;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// Packets that came before their keys (RFC 9001 section 5.7). They are not authenticated, so anyone can send them:
/// count, bytes and age are capped, and what does not fit is dropped, as the network might have done.
/// </summary>
internal sealed class UndecryptablePackets : IDisposable
{
    private Entry[] _entries = [];
    private int _count;

    public int Count => _count;

    public int Bytes { get; private set; }

    public bool TryAdd(
        EncryptionLevel level, ReadOnlySpan<byte> packet, int packetNumberOffset, in DatagramMetadata metadata, long now)
    {
        RemoveOlderThan(now - Limits.MaxUndecryptableAge);
        if (_count == Limits.MaxUndecryptablePackets || Bytes + packet.Length > Limits.MaxUndecryptableBytes)
        {
            return false;
        }

        if (_entries.Length == 0)
        {
            _entries = new Entry[Limits.MaxUndecryptablePackets];
        }

        byte[] copy = ArrayPool<byte>.Shared.Rent(packet.Length);
        packet.CopyTo(copy);
        _entries[_count++] = new Entry(level, copy, packet.Length, packetNumberOffset, metadata, now);
        Bytes += packet.Length;
        return true;
    }

    /// <summary>
    /// Takes out the oldest packet of a level whose keys are there now. The caller gives the buffer back to the shared
    /// pool.
    /// </summary>
    public bool TryTake(
        EncryptionLevel level, out byte[] buffer, out int length, out int packetNumberOffset, out DatagramMetadata metadata)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_entries[i].Level == level)
            {
                Entry entry = RemoveAt(i);
                buffer = entry.Buffer;
                length = entry.Length;
                packetNumberOffset = entry.PacketNumberOffset;
                metadata = entry.Metadata;
                return true;
            }
        }

        buffer = [];
        length = 0;
        packetNumberOffset = 0;
        metadata = default;
        return false;
    }

    /// <summary>The level's keys will never come, or are gone.</summary>
    public void Discard(EncryptionLevel level)
    {
        while (TryTake(level, out byte[] buffer, out _, out _, out _))
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose()
    {
        while (_count != 0)
        {
            ArrayPool<byte>.Shared.Return(RemoveAt(0).Buffer);
        }
    }

    private void RemoveOlderThan(long time)
    {
        while (_count != 0 && _entries[0].Time < time)
        {
            ArrayPool<byte>.Shared.Return(RemoveAt(0).Buffer);
        }
    }

    /// <summary>Keeps the order of arrival, so that the oldest is first.</summary>
    private Entry RemoveAt(int index)
    {
        Entry entry = _entries[index];
        _count--;
        Array.Copy(_entries, index + 1, _entries, index, _count - index);
        _entries[_count] = default;
        Bytes -= entry.Length;
        if (_count == 0)
        {
            // It happens in handshakes, and a connection lasts longer than those.
            _entries = [];
        }

        return entry;
    }

    private readonly record struct Entry(
        EncryptionLevel Level,
        byte[] Buffer,
        int Length,
        int PacketNumberOffset,
        DatagramMetadata Metadata,
        long Time);
}
