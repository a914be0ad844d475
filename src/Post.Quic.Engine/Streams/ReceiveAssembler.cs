using System.Diagnostics;
using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// Puts the bytes of one stream (or of one level's CRYPTO data) back into order. What is in order can be read in
/// place; memory held follows the bytes received, never the offsets they claim.
/// </summary>
internal sealed class ReceiveAssembler(BlockPool pool, AssemblerLimits limits)
{
    private readonly AssemblyBlocks _blocks = new(pool);
    private FragmentList _fragments = new();
    private ReadSegment? _firstSegment;
    private ReadSegment? _lastSegment;
    private int _consumedOfFirst;

    /// <summary>Everything below was read (or skipped) by the reader.</summary>
    public ulong ReadOffset { get; private set; }

    /// <summary>Everything below has arrived.</summary>
    public ulong ReadyOffset { get; private set; }

    public long ReadableBytes => (long)(ReadyOffset - ReadOffset);

    /// <summary>Pieces that wait for what comes before them.</summary>
    public int FragmentCount => _fragments.Count;

    /// <summary>Bytes that were received and not read.</summary>
    public long HeldBytes => ReadableBytes + _fragments.Bytes;

    /// <summary>Bytes of the pooled blocks that hold them.</summary>
    public long AllocatedBytes => _blocks.AllocatedBytes;

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
        if (_fragments.Count > 0)
        {
            // What is stored further on is read from there: one copy of each byte reaches the reader.
            ulong stored = _fragments[0].Offset - ReadyOffset;
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
            if (_fragments.Count > 0)
            {
                part = (int)Math.Min((ulong)part, _fragments[0].Offset - offset);
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

    /// <summary>The first run of readable bytes, in place.</summary>
    public ReadOnlySpan<byte> PeekFirst() =>
        _firstSegment is null ? [] : _firstSegment.Memory.Span[_consumedOfFirst..];

    /// <summary>Copies the first readable bytes, which stay readable.</summary>
    public void Peek(Span<byte> destination)
    {
        int skipped = _consumedOfFirst;
        for (ReadSegment? segment = _firstSegment; segment is not null && !destination.IsEmpty; segment = segment.NextSegment)
        {
            ReadOnlySpan<byte> source = segment.Memory.Span[skipped..];
            skipped = 0;
            int part = Math.Min(source.Length, destination.Length);
            source[..part].CopyTo(destination);
            destination = destination[part..];
        }
    }

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

            _blocks.Dereference(first.Block!);
            pool.Return(first);
        }

        // A stream that waits for its peer keeps no memory; 10,000 idle ones would pin 10,000 blocks.
        if (_firstSegment is null && _fragments.Count == 0)
        {
            _blocks.Drop();
        }
    }

    /// <summary>Throws away all that is stored; what arrives later is up to the caller to refuse.</summary>
    public void Discard()
    {
        for (int i = 0; i < _fragments.Count; i++)
        {
            _blocks.Dereference(_fragments[i].Block);
        }

        _fragments.Clear();
        ReadOffset = ReadyOffset;
        DiscardReadable();
        _blocks.Drop();
    }

    /// <summary>Gives all memory back and starts over, for the next stream that uses this object.</summary>
    public void Clear()
    {
        Discard();
        ReadOffset = 0;
        ReadyOffset = 0;
        _blocks.RentedSincePacked = 0;
    }

    private void DiscardReadable()
    {
        while (_firstSegment is { } first)
        {
            _firstSegment = first.NextSegment;
            _blocks.Dereference(first.Block!);
            pool.Return(first);
        }

        _lastSegment = null;
        _consumedOfFirst = 0;
    }

    private AssemblyResult InsertFragments(ulong offset, ReadOnlySpan<byte> data)
    {
        int index = _fragments.FirstEndingAfter(offset);
        while (!data.IsEmpty)
        {
            int gap = data.Length;
            if (index < _fragments.Count)
            {
                ref Fragment next = ref _fragments[index];
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
            if (index > 0 && IsBehind(_fragments[index - 1], offset, block, start))
            {
                _fragments.Extend(index - 1, part);
            }
            else if (HasRoomForFragment)
            {
                _fragments.InsertAt(index++, new Fragment(offset, block, start, part));
                block.References++;
            }
            else if (FragmentPacking.TryMerge(ref _fragments, _blocks))
            {
                index = _fragments.FirstEndingAfter(offset);
                continue;
            }
            else
            {
                return false;
            }

            data[..part].CopyTo(block.Bytes.AsSpan(start));
            block.Used += part;
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
        while (_fragments.Count > 0 && _fragments[0].Offset == ReadyOffset)
        {
            Fragment first = _fragments.TakeFirst();
            AppendReadable(first.Block, first.Start, first.Length);
            _blocks.Dereference(first.Block);
        }

        Debug.Assert(_fragments.Count == 0 || _fragments[0].Offset > ReadyOffset, "pieces never overlap");
    }

    /// <summary>
    /// CVE-2026-25800: a byte here and a byte there must not buy bookkeeping without end. Honest senders leave gaps too, but
    /// their pieces are as large as packets.
    /// </summary>
    private bool HasRoomForFragment =>
        _fragments.Count < limits.MaxFragments
            + (limits.BytesPerExtraFragment == 0 ? 0 : _fragments.Bytes / limits.BytesPerExtraFragment);

    private static bool IsBehind(in Fragment before, ulong offset, MemoryBlock block, int start) =>
        before.End == offset && before.Block == block && before.Start + before.Length == start;

    /// <summary>Where the next bytes go, or the first of them.</summary>
    private MemoryBlock BlockFor(int length)
    {
        if (_blocks.Unfilled is { } block)
        {
            return block;
        }

        // Pieces are packed when most of the memory is dead. Not again before as much was allocated as packing copies, or
        // packing would be the attack.
        if (AllocatedBytes > (2 * HeldBytes) + Limits.AssemblerSlack && _blocks.RentedSincePacked >= _fragments.Bytes)
        {
            _blocks.Drop();
            FragmentPacking.Pack(ref _fragments, _blocks);
            if (_blocks.Unfilled is { } packed)
            {
                return packed;
            }
        }

        return _blocks.Next(length);
    }
}
