using System.Diagnostics;
using System.Numerics;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// The bytes of one stream (or of one level's CRYPTO data) from the moment they are written until they are
/// acknowledged: what is unsent, in flight, lost and acknowledged, copied together into pooled blocks.
/// </summary>
internal sealed class SendBuffer(BlockPool pool)
{
    private const int SmallestBlock = BlockArrays.Smallest;
    private const int LargestBlock = BlockArrays.Largest;

    // What one busy stream needed is not kept for the quiet ones that reuse its object.
    private const int LargestKeptArray = 64;

    private Chunk[] _chunks = [];
    private int _head;
    private int _count;
    private RangeSet _acked;
    private RangeSet _lost;
    private bool _finLost;

    /// <summary>The end of what was written.</summary>
    public ulong WrittenOffset { get; private set; }

    /// <summary>The end of what was sent at least once.</summary>
    public ulong SentOffset { get; private set; }

    /// <summary>Everything below is acknowledged and released.</summary>
    public ulong AckedOffset { get; private set; }

    /// <summary>How many copied bytes may wait for their acknowledgement.</summary>
    public int CopyCapacity { get; set; } = int.MaxValue;

    /// <summary>Copied bytes that are not released yet.</summary>
    public int CopiedBytes { get; private set; }

    public int CopyRoom => Math.Max(0, CopyCapacity - CopiedBytes);

    public bool FinQueued { get; private set; }

    public bool FinSent { get; private set; }

    public bool FinAcked { get; private set; }

    public ulong UnsentBytes => WrittenOffset - SentOffset;

    public bool HasLost => _finLost || !_lost.IsEmpty;

    /// <summary>The end is to be sent and no byte is left to carry it.</summary>
    public bool HasBareFin => FinQueued && !FinSent && SentOffset == WrittenOffset;

    /// <summary>Every byte and the end were acknowledged.</summary>
    public bool IsComplete => FinAcked && AckedOffset == WrittenOffset;

    /// <summary>Makes room for bytes that are known to follow, so that one block holds them all.</summary>
    public void Reserve(int length)
    {
        if (length > SmallestBlock)
        {
            PushBlock((int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(length, LargestBlock)));
        }
    }

    /// <summary>Copies as much as <see cref="CopyCapacity"/> allows; returns how much that was.</summary>
    public int AppendCopy(ReadOnlySpan<byte> data)
    {
        Debug.Assert(!FinQueued, "nothing follows the end");
        int taken = Math.Min(data.Length, CopyRoom);
        data = data[..taken];
        CopiedBytes += taken;
        while (!data.IsEmpty)
        {
            if (_count > 0 && Last.Block is { Free: > 0 } block)
            {
                int part = Math.Min(block.Free, data.Length);
                data[..part].CopyTo(block.Bytes.AsSpan(block.Used));
                block.Used += part;
                Last.Memory = new ReadOnlyMemory<byte>(block.Bytes, 0, block.Used);
                WrittenOffset += (ulong)part;
                data = data[part..];
                continue;
            }

            // A stream that goes on gets larger blocks; a short one never pays for them.
            int size = _count > 0 ? Last.Block.Bytes.Length * 2 : SmallestBlock;
            size = Math.Min(LargestBlock, Math.Max(size, (int)BitOperations.RoundUpToPowerOf2((uint)data.Length)));
            PushBlock(size);
        }

        return taken;
    }

    public void Finish() => FinQueued = true;

    /// <summary>
    /// What to send next: lost data first, then new data below <paramref name="creditOffset"/>. The caller may send
    /// less than the range, and reports what it sent with <see cref="OnSent"/>.
    /// </summary>
    public bool TryGetNext(ulong creditOffset, out OffsetRange range)
    {
        if (!_lost.IsEmpty)
        {
            range = _lost.First;
            return true;
        }

        ulong end = Math.Min(WrittenOffset, creditOffset);
        if (SentOffset < end)
        {
            range = new OffsetRange(SentOffset, end);
            return true;
        }

        range = new OffsetRange(SentOffset, SentOffset);
        return _finLost || HasBareFin;
    }

    /// <summary>Whether a frame that ends at this offset carries the end of the stream.</summary>
    public bool EndsAt(ulong offset) => FinQueued && offset == WrittenOffset;

    public void CopyTo(ulong offset, Span<byte> destination)
    {
        Debug.Assert(offset >= AckedOffset && offset + (ulong)destination.Length <= WrittenOffset, "only what is held");
        if (destination.IsEmpty)
        {
            return;
        }

        int index = IndexOf(offset);
        while (!destination.IsEmpty)
        {
            ref Chunk chunk = ref At(index++);
            ReadOnlySpan<byte> source = chunk.Memory.Span[(int)(offset - chunk.Start)..];
            int part = Math.Min(source.Length, destination.Length);
            source[..part].CopyTo(destination);
            destination = destination[part..];
            offset += (ulong)part;
        }
    }

    public void OnSent(ulong offset, int length, bool fin)
    {
        ulong end = offset + (ulong)length;
        if (!_lost.IsEmpty)
        {
            _lost.Remove(offset, end);
        }

        SentOffset = Math.Max(SentOffset, end);
        if (fin)
        {
            FinSent = true;
            _finLost = false;
        }
    }

    public void OnAcked(ulong offset, uint length, bool fin)
    {
        // A packet and its retransmission can both be acknowledged; the second one tells nothing new.
        ulong end = Math.Min(offset + length, SentOffset);
        FinAcked |= fin && FinSent;
        _finLost &= !FinAcked;
        if (end <= AckedOffset)
        {
            return;
        }

        if (!_lost.IsEmpty)
        {
            _lost.Remove(offset, end);
        }

        if (offset > AckedOffset)
        {
            _acked.Add(offset, end);
            return;
        }

        AckedOffset = end;
        while (!_acked.IsEmpty && _acked.First.Start <= AckedOffset)
        {
            AckedOffset = Math.Max(AckedOffset, _acked.First.End);
            _acked.RemoveFirst();
        }

        ReleaseAcked();
    }

    /// <summary>What was lost and has not been acknowledged by another copy is to be sent again.</summary>
    public void OnLost(ulong offset, uint length, bool fin)
    {
        _finLost |= fin && FinSent && !FinAcked;
        ulong start = Math.Max(offset, AckedOffset);
        ulong end = Math.Min(offset + length, SentOffset);
        if (start >= end)
        {
            return;
        }

        _lost.Add(start, end);
        for (int i = _acked.FirstEndingAtOrAfter(start); i < _acked.Count && _acked[i].Start < end; i++)
        {
            _lost.Remove(_acked[i].Start, _acked[i].End);
        }
    }

    /// <summary>
    /// Forgets what lies at or after <paramref name="offset"/>: the stream was reset and only what is before it will
    /// still be delivered. Chunks wholly behind it go back to their owners.
    /// </summary>
    public void Truncate(ulong offset)
    {
        FinQueued = false;
        FinSent = false;
        FinAcked = false;
        _finLost = false;
        offset = Math.Max(offset, AckedOffset);
        if (offset >= WrittenOffset)
        {
            return;
        }

        _lost.Remove(offset, ulong.MaxValue);
        _acked.Remove(offset, ulong.MaxValue);
        while (_count > 0 && Last.Start >= offset)
        {
            _count--;
            Release(ref _chunks[(_head + _count) & (_chunks.Length - 1)]);
        }

        if (_count > 0 && Last.End > offset)
        {
            int kept = (int)(offset - Last.Start);
            CopiedBytes -= Last.Memory.Length - kept;
            Last.Memory = Last.Memory[..kept];
        }

        WrittenOffset = offset;
        SentOffset = Math.Min(SentOffset, offset);
        ReleaseAcked();
    }

    /// <summary>Gives all memory back and starts over, for the next stream that uses this object.</summary>
    public void Clear()
    {
        while (_count > 0)
        {
            PopFirst();
        }

        _acked.Clear();
        _lost.Clear();
        _head = 0;
        if (_chunks.Length > LargestKeptArray)
        {
            _chunks = [];
        }

        _finLost = false;
        FinQueued = false;
        FinSent = false;
        FinAcked = false;
        WrittenOffset = 0;
        SentOffset = 0;
        AckedOffset = 0;
    }

    private void ReleaseAcked()
    {
        while (_count > 0 && At(0).End <= AckedOffset)
        {
            PopFirst();
        }
    }

    private ref Chunk Last => ref At(_count - 1);

    private ref Chunk At(int index) => ref _chunks[(_head + index) & (_chunks.Length - 1)];

    private int IndexOf(ulong offset)
    {
        int low = 0;
        int high = _count - 1;
        if (At(0).End > offset)
        {
            return 0;
        }

        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (At(middle).End <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void PushBlock(int size)
    {
        MemoryBlock block = pool.Rent(size);
        block.References = 1;
        Push(new Chunk(WrittenOffset, ReadOnlyMemory<byte>.Empty, block));
    }

    private void Push(in Chunk chunk)
    {
        if (_count == _chunks.Length)
        {
            var larger = new Chunk[Math.Max(1, _chunks.Length * 2)];
            for (int i = 0; i < _count; i++)
            {
                larger[i] = At(i);
            }

            _chunks = larger;
            _head = 0;
        }

        _count++;
        Last = chunk;
    }

    private void PopFirst()
    {
        ref Chunk first = ref At(0);
        _head = (_head + 1) & (_chunks.Length - 1);
        _count--;
        Release(ref first);
    }

    private void Release(ref Chunk chunk)
    {
        CopiedBytes -= chunk.Memory.Length;
        pool.Return(chunk.Block);
        chunk = default;
    }

    /// <summary>A run of written bytes, in a block of its own.</summary>
    private struct Chunk(ulong start, ReadOnlyMemory<byte> memory, MemoryBlock block)
    {
        public ulong Start = start;
        public ReadOnlyMemory<byte> Memory = memory;
        public MemoryBlock Block = block;

        public readonly ulong End => Start + (ulong)Memory.Length;
    }
}
