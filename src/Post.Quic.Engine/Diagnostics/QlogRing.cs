using System.Buffers;
using System.Buffers.Binary;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// A bounded ring of records between the connection, which writes and never waits, and the one task that reads. Neither
/// side takes a lock. A record lies in one piece: where the end of the buffer is too near, the rest of it is skipped.
/// </summary>
internal sealed class QlogRing : IDisposable
{
    private const int PrefixLength = sizeof(int);
    private const int SkipMark = -1;

    private readonly int _capacity;
    private byte[]? _buffer;
    private long _head;
    private long _tail;
    private long _reserved;

    /// <param name="capacity">Bytes; a power of two.</param>
    public QlogRing(int capacity)
    {
        _capacity = capacity;
        _buffer = ArrayPool<byte>.Shared.Rent(capacity);
    }

    public int Capacity => _capacity;

    /// <summary>Bytes that wait for the reader, with what lies around them.</summary>
    public int Pending => (int)(Volatile.Read(ref _head) - Volatile.Read(ref _tail));

    /// <summary>Writer: room for a record of at most this size; false when there is none.</summary>
    public bool TryReserve(int size, out Span<byte> record)
    {
        int total = PrefixLength + Align(size);
        long head = _head;
        int index = Index(head);
        int skipped = _capacity - index < total ? _capacity - index : 0;
        if (_buffer is null || skipped + total > _capacity - (head - Volatile.Read(ref _tail)))
        {
            record = default;
            return false;
        }

        if (skipped > 0)
        {
            // Every record starts at a multiple of the prefix's size, so the mark always fits.
            BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(index), SkipMark);
            index = 0;
        }

        _reserved = head + skipped;
        record = _buffer.AsSpan(index + PrefixLength, size);
        return true;
    }

    /// <summary>Writer: hands over the first bytes of what was reserved.</summary>
    public void Commit(int size)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(Index(_reserved)), size);
        Volatile.Write(ref _head, _reserved + PrefixLength + Align(size));
    }

    /// <summary>Reader: the oldest record, which stays until <see cref="Release"/>.</summary>
    public bool TryPeek(out ReadOnlySpan<byte> record)
    {
        record = default;
        if (_buffer is null || _tail == Volatile.Read(ref _head))
        {
            return false;
        }

        int size = BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(Index(_tail)));
        if (size == SkipMark)
        {
            // A skip is handed over together with the record behind it.
            Volatile.Write(ref _tail, _tail + _capacity - Index(_tail));
            size = BinaryPrimitives.ReadInt32LittleEndian(_buffer);
        }

        record = _buffer.AsSpan(Index(_tail) + PrefixLength, size);
        return true;
    }

    /// <summary>Reader: frees the record that was peeked at.</summary>
    public void Release()
    {
        int size = BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(Index(_tail)));
        Volatile.Write(ref _tail, _tail + PrefixLength + Align(size));
    }

    /// <summary>Only when neither side uses it any more.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int Align(int size) => (size + PrefixLength - 1) & -PrefixLength;

    private int Index(long position) => (int)(position & (_capacity - 1));
}
