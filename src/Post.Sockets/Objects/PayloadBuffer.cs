using System.Buffers;

namespace Post.Sockets.Objects;

/// <summary>
/// The arriving bytes of one object in pooled pieces. A piece is made only when bytes are there to fill the one before, so a header that
/// promises a gigabyte costs nothing.
/// </summary>
internal sealed class PayloadBuffer
{
    private const int LargestPiece = 64 * 1024;

    private Segment? _first;
    private Segment? _last;
    private int _lastUsed;

    public long Length { get; private set; }

    /// <summary>Space for the next bytes, at least one.</summary>
    public Memory<byte> GetSpace(long expected)
    {
        if (_last is null || _lastUsed == _last.Array.Length)
        {
            var size = (int)Math.Clamp(expected, 512, LargestPiece);
            var segment = new Segment(ArrayPool<byte>.Shared.Rent(size), Length);
            if (_last is null)
            {
                _first = segment;
            }
            else
            {
                _last.Link(segment, _lastUsed);
            }

            _last = segment;
            _lastUsed = 0;
        }

        return _last.Array.AsMemory(_lastUsed);
    }

    public void Advance(int count)
    {
        _lastUsed += count;
        Length += count;
    }

    public void Append(ReadOnlySpan<byte> bytes, long expected)
    {
        while (!bytes.IsEmpty)
        {
            var space = GetSpace(Math.Max(bytes.Length, expected)).Span;
            var count = Math.Min(space.Length, bytes.Length);
            bytes[..count].CopyTo(space);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    public ReadOnlySequence<byte> ToSequence()
    {
        if (_first is null)
        {
            return ReadOnlySequence<byte>.Empty;
        }

        return _first == _last
            ? new ReadOnlySequence<byte>(_first.Array, 0, _lastUsed)
            : new ReadOnlySequence<byte>(_first, 0, _last!, _lastUsed);
    }

    public void Release()
    {
        for (var segment = _first; segment is not null; segment = (Segment?)segment.Next)
        {
            ArrayPool<byte>.Shared.Return(segment.Array);
        }

        _first = null;
        _last = null;
        _lastUsed = 0;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] array, long runningIndex)
        {
            Array = array;
            Memory = array;
            RunningIndex = runningIndex;
        }

        public byte[] Array { get; }

        public void Link(Segment next, int used)
        {
            Memory = Array.AsMemory(0, used);
            Next = next;
        }
    }
}
