using System.Buffers;

namespace Post.Sockets.Objects;

/// <summary>
/// The arriving bytes of one object in pieces. A piece is made only when bytes are there to fill the one before, and is no larger than what has
/// come or what is to come, so a header that promises a gigabyte costs nothing. One piece is held without anything around it: small
/// objects come by the hundred thousand.
/// </summary>
internal struct PayloadBuffer
{
    private const int LargestPiece = 64 * 1024;
    private const int SmallestPiece = 512;

    /// <summary>The first piece asks for no more than a read brings.</summary>
    private const int FirstPiece = 4096;

    private byte[]? _array;
    private Segment? _first;
    private Segment? _last;
    private int _used;

    /// <summary>Bytes that are here.</summary>
    public long Length { get; private set; }

    /// <summary>Bytes of memory that it holds.</summary>
    public long Capacity { get; private set; }

    /// <summary>Space for the next bytes, at least one.</summary>
    /// <param name="left">Bytes that are still to come; negative where that is not known.</param>
    public Memory<byte> GetSpace(long left)
    {
        if (_array is null || _used == _array.Length)
        {
            var most = Math.Clamp(Length, FirstPiece, LargestPiece);
            Add(left < 0 ? (int)Math.Max(SmallestPiece, Math.Min(Length, most)) : (int)Math.Clamp(left, 1, most));
        }

        return _array.AsMemory(_used);
    }

    public void Advance(int count)
    {
        _used += count;
        Length += count;
    }

    /// <summary>Copies bytes.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="left">Bytes that are still to come, these among them; negative where that is not known.</param>
    public void Append(ReadOnlySpan<byte> bytes, long left)
    {
        while (!bytes.IsEmpty)
        {
            var space = GetSpace(left < 0 ? left : Math.Max(left, bytes.Length)).Span;
            var count = Math.Min(space.Length, bytes.Length);
            bytes[..count].CopyTo(space);
            Advance(count);
            bytes = bytes[count..];
            left = left < 0 ? left : left - count;
        }
    }

    /// <summary>No more bytes come: gives back what they would have needed.</summary>
    public void Trim()
    {
        if (_array is { } array && _used < array.Length - (array.Length / 8))
        {
            var exact = Rent(_used);
            array.AsSpan(0, _used).CopyTo(exact);
            Capacity += exact.Length - array.Length;
            Return(array);
            _array = exact;
            _last?.Replace(exact);
        }
    }

    public readonly ReadOnlySequence<byte> ToSequence()
    {
        if (_array is null)
        {
            return ReadOnlySequence<byte>.Empty;
        }

        return _first is null
            ? new ReadOnlySequence<byte>(_array, 0, _used)
            : new ReadOnlySequence<byte>(_first, 0, _last!, _used);
    }

    public void Release()
    {
        if (_first is null && _array is not null)
        {
            Return(_array);
        }

        for (var segment = _first; segment is not null; segment = (Segment?)segment.Next)
        {
            Return(segment.Array);
        }

        this = default;
    }

    private void Add(int size)
    {
        var array = Rent(size);
        if (_array is not null)
        {
            _first ??= _last = new Segment(_array, 0);
            var next = new Segment(array, Length);
            _last!.Link(next, _used);
            _last = next;
        }

        _array = array;
        _used = 0;
        Capacity += array.Length;
    }

    /// <summary>Pooled where the pool has about that size; it has powers of two.</summary>
    private static byte[] Rent(int size)
    {
        var pooled = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(size, 16));
        return pooled - size > pooled / 8 ? GC.AllocateUninitializedArray<byte>(size)
            : SmallBlocks.Keeps(pooled) ? SmallBlocks.Rent(pooled)
            : ArrayPool<byte>.Shared.Rent(size);
    }

    private static void Return(byte[] array)
    {
        // What the pools have no place for is not their own.
        if (SmallBlocks.Keeps(array.Length))
        {
            SmallBlocks.Return(array);
        }
        else if (array.Length >= 16 && System.Numerics.BitOperations.IsPow2(array.Length))
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] array, long runningIndex)
        {
            Array = array;
            Memory = array;
            RunningIndex = runningIndex;
        }

        public byte[] Array { get; private set; }

        public void Link(Segment next, int used)
        {
            Memory = Array.AsMemory(0, used);
            Next = next;
        }

        public void Replace(byte[] array)
        {
            Array = array;
            Memory = array;
        }
    }
}
