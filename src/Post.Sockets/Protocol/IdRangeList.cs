namespace Post.Sockets.Protocol;

/// <summary>
/// The list of id ranges in RECEIPT and ABANDON: checked once as a whole, then read range by range without a copy.
/// </summary>
internal readonly ref struct IdRangeList
{
    private readonly ReadOnlySpan<byte> _ranges;

    private IdRangeList(int count, ReadOnlySpan<byte> ranges)
    {
        Count = count;
        _ranges = ranges;
    }

    /// <summary>The number of ranges, at least one.</summary>
    public int Count { get; }

    /// <summary>Reads a list that must fill <paramref name="source"/> to its end.</summary>
    public static bool TryParse(ReadOnlySpan<byte> source, out IdRangeList list)
    {
        list = default;
        var reader = new PostReader(source);
        if (!reader.TryReadInteger(out long count) || count is < 1 or > ProtocolLimits.MaxRangesPerFrame)
        {
            return false;
        }

        ReadOnlySpan<byte> ranges = source[^reader.Remaining..];
        long previousLast = -2;
        for (long i = 0; i < count; i++)
        {
            if (!TryReadRange(ref reader, previousLast, out IdRange range))
            {
                return false;
            }

            previousLast = range.Last;
        }

        if (!reader.IsAtEnd)
        {
            return false;
        }

        list = new IdRangeList((int)count, ranges);
        return true;
    }

    /// <summary>The number of bytes that <see cref="Write"/> writes.</summary>
    public static int Length(ReadOnlySpan<IdRange> ranges)
    {
        int length = PostInteger.Length(ranges.Length);
        long previousLast = -2;
        foreach (IdRange range in ranges)
        {
            length += PostInteger.Length(range.First - previousLast - 2) + PostInteger.Length(range.Count - 1);
            previousLast = range.Last;
        }

        return length;
    }

    public static void Write(ref PostWriter writer, ReadOnlySpan<IdRange> ranges)
    {
        writer.WriteInteger(ranges.Length);
        long previousLast = -2;
        foreach (IdRange range in ranges)
        {
            writer.WriteInteger(range.First - previousLast - 2);
            writer.WriteInteger(range.Count - 1);
            previousLast = range.Last;
        }
    }

    public Enumerator GetEnumerator() => new(this);

    private static bool TryReadRange(ref PostReader reader, long previousLast, out IdRange range)
    {
        range = default;
        if (!reader.TryReadInteger(out long gap) || !reader.TryReadInteger(out long more))
        {
            return false;
        }

        // Two ranges never touch (they would be one), so at least one id lies between them: the gap counts those
        // beyond it. The first range counts from -2, which makes its gap its first id. All sums stay within 64 bits,
        // as each operand has at most 62.
        long first = previousLast + 2 + gap;
        if (first > PostInteger.MaxValue || more > PostInteger.MaxValue - first)
        {
            return false;
        }

        range = new IdRange(first, first + more);
        return true;
    }

    /// <summary>Walks the ranges, ascending.</summary>
    internal ref struct Enumerator(IdRangeList list)
    {
        private PostReader _reader = new(list._ranges);
        private long _previousLast = -2;

        public IdRange Current { get; private set; }

        public bool MoveNext()
        {
            if (_reader.IsAtEnd || !TryReadRange(ref _reader, _previousLast, out IdRange range))
            {
                return false;
            }

            Current = range;
            _previousLast = range.Last;
            return true;
        }
    }
}
