using System.Buffers;
using System.Diagnostics;
using System.Numerics;
using Post.Quic.Engine.Connection;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// Puts the bytes of one stream (or of one level's CRYPTO data) back into order. What is in order can be read in
/// place; memory held follows the bytes received, never the offsets they claim.
/// </summary>
internal sealed class ReceiveAssembler(BlockPool pool, AssemblerLimits limits)
{
    private const int SmallestBlock = BlockArrays.Smallest;
    private const int LargestBlock = BlockArrays.Largest;

    // What one busy stream needed is not kept for the quiet ones that reuse its object.
    private const int LargestKeptArray = 64;

    private Fragment[] _fragments = [];
    private int _firstFragment;
    private int _fragmentCount;
    private long _fragmentBytes;
    private long _rentedSincePacked;

    private ReadSegment? _firstSegment;
    private ReadSegment? _lastSegment;
    private int _consumedOfFirst;
    private bool _discardWhenReturned;

    // The block that is being filled; it counts itself as one of the block's references.
    private MemoryBlock? _block;

    /// <summary>Everything below was read (or skipped) by the reader.</summary>
    public ulong ReadOffset { get; private set; }

    /// <summary>Everything below has arrived.</summary>
    public ulong ReadyOffset { get; private set; }

    public long ReadableBytes => (long)(ReadyOffset - ReadOffset);

    /// <summary>Pieces that wait for what comes before them.</summary>
    public int FragmentCount => _fragmentCount;

    /// <summary>Bytes that were received and not read.</summary>
    public long HeldBytes => ReadableBytes + _fragmentBytes;

    /// <summary>Bytes of the pooled blocks that hold them.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>
    /// Takes what is next in order straight from the packet, at most <paramref name="maxLength"/> bytes, without
    /// storing it: for a reader that waits. Only while nothing stored is waiting to be read; the rest of the frame is
    /// then given to <see cref="Insert"/>.
    /// </summary>
    public ReadOnlySpan<byte> TakeInOrder(ulong offset, ReadOnlySpan<byte> data, int maxLength)
    {
        if (ReadOffset != ReadyOffset || offset > ReadyOffset || offset + (ulong)data.Length <= ReadyOffset)
        {
            return [];
        }

        data = data[(int)(ReadyOffset - offset)..];
        data = data[..Math.Min(data.Length, maxLength)];
        if (_fragmentCount > 0)
        {
            // What is stored further on is read from there: one copy of each byte reaches the reader.
            ulong stored = _fragments[_firstFragment].Offset - ReadyOffset;
            data = data[..(int)Math.Min((ulong)data.Length, stored)];
        }

        ReadyOffset += (ulong)data.Length;
        ReadOffset = ReadyOffset;
        AbsorbFragments();
        return data;
    }

    /// <summary>
    /// Stores what is new of the bytes. Where bytes overlap, those that came first stay: a peer that sends different
    /// data for one offset (RFC 9000 section 2.2) cannot make two readers see different streams.
    /// </summary>
    public AssemblyResult Insert(ulong offset, ReadOnlySpan<byte> data)
    {
        ulong end = offset + (ulong)data.Length;
        if (end <= ReadyOffset)
        {
            return AssemblyResult.Accepted;
        }

        if (end - ReadOffset > limits.MaxBytesAhead)
        {
            return AssemblyResult.TooFarAhead;
        }

        while (offset <= ReadyOffset)
        {
            data = data[(int)(ReadyOffset - offset)..];
            offset = ReadyOffset;
            int part = data.Length;
            if (_fragmentCount > 0)
            {
                part = (int)Math.Min((ulong)part, _fragments[_firstFragment].Offset - offset);
            }

            StoreReadable(data[..part]);
            AbsorbFragments();
            if (end <= ReadyOffset)
            {
                return AssemblyResult.Accepted;
            }
        }

        return InsertFragments(offset, data);
    }

    /// <summary>A reader holds what <see cref="Peek"/> gave it: that memory must not be reused.</summary>
    public bool IsLent { get; private set; }

    /// <summary>
    /// Lends all that is readable, in place. The reader may use it outside the gate until it calls
    /// <see cref="Consume"/>, which it must do, if only with 0: nothing that the peer does meanwhile frees the memory.
    /// </summary>
    public ReadOnlySequence<byte> Peek()
    {
        IsLent = _firstSegment is not null;
        if (_firstSegment is null)
        {
            return ReadOnlySequence<byte>.Empty;
        }

        return new ReadOnlySequence<byte>(_firstSegment, _consumedOfFirst, _lastSegment!, _lastSegment!.Length);
    }

    /// <summary>The first run of readable bytes, in place.</summary>
    public ReadOnlySpan<byte> PeekFirst() =>
        _firstSegment is null ? [] : _firstSegment.Memory.Span[_consumedOfFirst..];

    public int Read(Span<byte> destination)
    {
        int total = 0;
        while (!destination.IsEmpty && _firstSegment is not null)
        {
            ReadOnlySpan<byte> source = PeekFirst();
            int part = Math.Min(source.Length, destination.Length);
            source[..part].CopyTo(destination);
            destination = destination[part..];
            Consume(part);
            total += part;
        }

        return total;
    }

    /// <summary>The reader is done with that many bytes; their memory goes back as soon as nothing else is in it.</summary>
    public void Consume(long count)
    {
        IsLent = false;
        if (_discardWhenReturned)
        {
            _discardWhenReturned = false;
            DiscardReadable();
            return;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)count, (ulong)ReadableBytes);
        ReadOffset += (ulong)count;
        while (_firstSegment is { } first && count > 0)
        {
            int left = first.Length - _consumedOfFirst;
            if (count < left)
            {
                _consumedOfFirst += (int)count;
                return;
            }

            count -= left;
            _consumedOfFirst = 0;
            _firstSegment = first.NextSegment;
            if (_firstSegment is null)
            {
                _lastSegment = null;
            }

            Dereference(first.Block!);
            pool.Return(first);
        }

        // A stream that waits for its peer keeps no memory; 10,000 idle ones would pin 10,000 blocks.
        if (_firstSegment is null && _fragmentCount == 0)
        {
            DropBlock();
        }
    }

    /// <summary>Throws away all that is stored; what arrives later is up to the caller to refuse.</summary>
    public void Discard()
    {
        for (int i = 0; i < _fragmentCount; i++)
        {
            Dereference(_fragments[_firstFragment + i].Block);
        }

        Array.Clear(_fragments, _firstFragment, _fragmentCount);
        _firstFragment = 0;
        _fragmentCount = 0;
        _fragmentBytes = 0;
        ReadOffset = ReadyOffset;
        if (IsLent)
        {
            _discardWhenReturned = true;
        }
        else
        {
            DiscardReadable();
        }

        DropBlock();
    }

    /// <summary>Gives all memory back and starts over, for the next stream that uses this object; not while it is lent.</summary>
    public void Clear()
    {
        Debug.Assert(!IsLent, "a reader still holds memory of this stream");
        Discard();
        ReadOffset = 0;
        ReadyOffset = 0;
        _rentedSincePacked = 0;
        if (_fragments.Length > LargestKeptArray)
        {
            _fragments = [];
        }
    }

    private void DiscardReadable()
    {
        while (_firstSegment is { } first)
        {
            _firstSegment = first.NextSegment;
            Dereference(first.Block!);
            pool.Return(first);
        }

        _lastSegment = null;
        _consumedOfFirst = 0;
    }

    private AssemblyResult InsertFragments(ulong offset, ReadOnlySpan<byte> data)
    {
        int index = FirstFragmentEndingAfter(offset);
        while (!data.IsEmpty)
        {
            int gap = data.Length;
            if (index < _fragmentCount)
            {
                ref Fragment next = ref _fragments[_firstFragment + index];
                if (next.Offset <= offset)
                {
                    // Known already; go on behind it.
                    int known = (int)Math.Min((ulong)data.Length, next.End - offset);
                    offset += (ulong)known;
                    data = data[known..];
                    index++;
                    continue;
                }

                gap = (int)Math.Min((ulong)gap, next.Offset - offset);
            }

            if (!StoreFragments(ref index, offset, data[..gap]))
            {
                return AssemblyResult.TooManyFragments;
            }

            offset += (ulong)gap;
            data = data[gap..];
        }

        return AssemblyResult.Accepted;
    }

    /// <summary>Stores bytes that fall into a gap, as pieces that stand at <paramref name="index"/> and after.</summary>
    private bool StoreFragments(ref int index, ulong offset, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            MemoryBlock block = BlockFor(data.Length);
            int part = Math.Min(block.Free, data.Length);
            int start = block.Used;
            bool extends = false;
            if (index > 0)
            {
                ref Fragment before = ref _fragments[_firstFragment + index - 1];
                extends = before.End == offset && before.Block == block && before.Start + before.Length == start;
                if (extends)
                {
                    before.Length += part;
                }
            }

            if (!extends)
            {
                // CVE-2026-25800: a byte here and a byte there must not buy bookkeeping without end. Honest senders
                // leave gaps too, but their pieces are as large as packets.
                long earned = limits.BytesPerExtraFragment == 0 ? 0 : _fragmentBytes / limits.BytesPerExtraFragment;
                if (_fragmentCount >= limits.MaxFragments + earned)
                {
                    return false;
                }

                InsertFragmentAt(index++, new Fragment(offset, block, start, part));
                block.References++;
            }

            data[..part].CopyTo(block.Bytes.AsSpan(start));
            block.Used += part;
            _fragmentBytes += part;
            offset += (ulong)part;
            data = data[part..];
        }

        return true;
    }

    private void StoreReadable(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            MemoryBlock block = BlockFor(data.Length);
            int part = Math.Min(block.Free, data.Length);
            data[..part].CopyTo(block.Bytes.AsSpan(block.Used));
            AppendReadable(block, block.Used, part);
            block.Used += part;
            data = data[part..];
        }
    }

    /// <summary>Makes bytes of a block the next readable ones.</summary>
    private void AppendReadable(MemoryBlock block, int start, int length)
    {
        if (_lastSegment is { } last && last.Block == block && last.End == start)
        {
            last.Extend(length);
        }
        else
        {
            ReadSegment segment = pool.RentSegment();
            segment.Attach(block, start, length, (long)ReadyOffset);
            block.References++;
            _lastSegment?.Append(segment);
            _lastSegment = segment;
            _firstSegment ??= segment;
        }

        ReadyOffset += (ulong)length;
    }

    /// <summary>Moves the pieces that are no longer behind a gap to the readable ones, without copying them.</summary>
    private void AbsorbFragments()
    {
        while (_fragmentCount > 0 && _fragments[_firstFragment].Offset == ReadyOffset)
        {
            Fragment first = _fragments[_firstFragment];
            _fragments[_firstFragment] = default;
            _firstFragment++;
            _fragmentCount--;
            _fragmentBytes -= first.Length;
            AppendReadable(first.Block, first.Start, first.Length);
            Dereference(first.Block);
        }

        if (_fragmentCount == 0)
        {
            _firstFragment = 0;
        }

        Debug.Assert(_fragmentCount == 0 || _fragments[_firstFragment].Offset > ReadyOffset, "pieces never overlap");
    }

    private MemoryBlock BlockFor(int length)
    {
        if (_block is { Free: > 0 } block)
        {
            return block;
        }

        int previous = _block?.Bytes.Length ?? 0;
        DropBlock();

        // Small pieces that outlive their neighbours would pin whole blocks: pack them when most of the memory is dead.
        // Not again before as much was allocated as packing copies, or packing would be the attack.
        if (AllocatedBytes > (2 * HeldBytes) + Limits.AssemblerSlack && _rentedSincePacked >= _fragmentBytes)
        {
            PackFragments();
            if (_block is { Free: > 0 } packed)
            {
                return packed;
            }

            DropBlock();
        }

        // A stream that goes on gets larger blocks; a short one never pays for them.
        int size = Math.Max(previous * 2, Math.Max(SmallestBlock, (int)BitOperations.RoundUpToPowerOf2((uint)length)));
        return _block = RentBlock(Math.Min(size, LargestBlock));
    }

    private MemoryBlock RentBlock(int size)
    {
        MemoryBlock block = pool.Rent(size);
        block.References = 1;
        AllocatedBytes += block.Bytes.Length;
        _rentedSincePacked += block.Bytes.Length;
        return block;
    }

    private void PackFragments()
    {
        _rentedSincePacked = 0;
        for (int i = 0; i < _fragmentCount; i++)
        {
            ref Fragment fragment = ref _fragments[_firstFragment + i];
            if (_block is null || _block.Free < fragment.Length)
            {
                DropBlock();
                _block = RentBlock(LargestBlock);
            }

            MemoryBlock old = fragment.Block;
            old.Bytes.AsSpan(fragment.Start, fragment.Length).CopyTo(_block.Bytes.AsSpan(_block.Used));
            fragment.Block = _block;
            fragment.Start = _block.Used;
            _block.Used += fragment.Length;
            _block.References++;
            Dereference(old);
        }
    }

    private void DropBlock()
    {
        if (_block is { } block)
        {
            _block = null;
            Dereference(block);
        }
    }

    private void Dereference(MemoryBlock block)
    {
        if (--block.References == 0)
        {
            AllocatedBytes -= block.Bytes.Length;
            pool.Return(block);
        }
    }

    private int FirstFragmentEndingAfter(ulong offset)
    {
        int low = 0;
        int high = _fragmentCount;

        // Packets mostly arrive in the order they were sent.
        if (high > 0 && _fragments[_firstFragment + high - 1].End <= offset)
        {
            return high;
        }

        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_fragments[_firstFragment + middle].End <= offset)
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

    private void InsertFragmentAt(int index, in Fragment fragment)
    {
        if (_firstFragment + _fragmentCount == _fragments.Length)
        {
            Fragment[] target = _firstFragment >= (_fragments.Length + 1) / 2 && _firstFragment > 0
                ? _fragments
                : new Fragment[Math.Max(4, _fragments.Length * 2)];
            Array.Copy(_fragments, _firstFragment, target, 0, _fragmentCount);
            if (target == _fragments)
            {
                Array.Clear(_fragments, _fragmentCount, _fragments.Length - _fragmentCount);
            }

            _fragments = target;
            _firstFragment = 0;
        }

        int at = _firstFragment + index;
        Array.Copy(_fragments, at, _fragments, at + 1, _fragmentCount - index);
        _fragments[at] = fragment;
        _fragmentCount++;
    }

    /// <summary>Bytes that wait for what comes before them.</summary>
    private struct Fragment(ulong offset, MemoryBlock block, int start, int length)
    {
        public ulong Offset = offset;
        public MemoryBlock Block = block;
        public int Start = start;
        public int Length = length;

        public readonly ulong End => Offset + (ulong)Length;
    }
}
