namespace Post.Quic.Engine.Wire.Frames;

/// <summary>
/// A received ACK (RFC 9000 section 19.3) or PATH_ACK (draft-ietf-quic-multipath section 4.1). Its ranges are checked once on parsing and then read from the packet as
/// they are enumerated, the largest first: no list of them is made.
/// </summary>
internal readonly ref struct AckFrame
{
    private readonly ReadOnlySpan<byte> _ranges;

    private AckFrame(
        ulong? pathId,
        PacketNumberRange first,
        ulong ackDelay,
        int rangeCount,
        ReadOnlySpan<byte> ranges,
        bool hasEcnCounts,
        EcnCounts ecnCounts)
    {
        PathId = pathId;
        First = first;
        AckDelay = ackDelay;
        RangeCount = rangeCount;
        _ranges = ranges;
        HasEcnCounts = hasEcnCounts;
        EcnCounts = ecnCounts;
    }

    /// <summary>
    /// The path whose packets it acknowledges. None for an ACK, which is for the space of its own level: path 0 in 1-RTT
    /// packets.
    /// </summary>
    public ulong? PathId { get; }

    /// <summary>The range that ends with the largest acknowledged.</summary>
    public PacketNumberRange First { get; }

    public ulong LargestAcknowledged => First.Largest;

    /// <summary>As on the wire: microseconds shifted right by the peer's ack_delay_exponent.</summary>
    public ulong AckDelay { get; }

    /// <summary>All ranges, the first included.</summary>
    public int RangeCount { get; }

    public bool HasEcnCounts { get; }

    public EcnCounts EcnCounts { get; }

    /// <summary>False is FRAME_ENCODING_ERROR: bytes are missing, or a range would begin below 0.</summary>
    public static bool TryParse(ulong type, ref WireReader reader, out AckFrame frame)
    {
        frame = default;
        ulong? pathId = null;
        if (type is FrameType.PathAck or FrameType.PathAckEcn)
        {
            if (!reader.TryReadVarInt(out ulong path))
            {
                return false;
            }

            pathId = path;
        }

        if (!reader.TryReadVarInt(out ulong largest)
            || !reader.TryReadVarInt(out ulong ackDelay)
            || !reader.TryReadVarInt(out ulong count)
            || !reader.TryReadVarInt(out ulong firstRange))
        {
            return false;
        }

        // RFC 9000 section 19.3.1: a computed packet number below 0 is FRAME_ENCODING_ERROR. A range takes two bytes
        // at least, so a count that cannot be true costs no walk.
        if (firstRange > largest || count > (ulong)reader.Remaining / 2)
        {
            return false;
        }

        var first = new PacketNumberRange(largest - firstRange, largest);
        ReadOnlySpan<byte> rest = reader.Rest;
        int start = reader.Position;
        PacketNumberRange previous = first;
        for (ulong i = 0; i < count; i++)
        {
            if (!TryReadRange(ref reader, previous, out previous))
            {
                return false;
            }
        }

        ReadOnlySpan<byte> ranges = rest[..(reader.Position - start)];
        EcnCounts ecnCounts = default;
        bool hasEcnCounts = type is FrameType.AckEcn or FrameType.PathAckEcn;
        if (hasEcnCounts)
        {
            if (!reader.TryReadVarInt(out ulong ect0)
                || !reader.TryReadVarInt(out ulong ect1)
                || !reader.TryReadVarInt(out ulong ce))
            {
                return false;
            }

            ecnCounts = new EcnCounts(ect0, ect1, ce);
        }

        frame = new AckFrame(pathId, first, ackDelay, (int)count + 1, ranges, hasEcnCounts, ecnCounts);
        return true;
    }

    public Enumerator GetEnumerator() => new(this);

    private static bool TryReadRange(ref WireReader reader, PacketNumberRange previous, out PacketNumberRange range)
    {
        range = default;

        // RFC 9000 section 19.3.1: largest = previous_smallest - gap - 2, smallest = largest - length. All values are
        // below 2^62, so the sum does not wrap.
        if (!reader.TryReadVarInt(out ulong gap)
            || !reader.TryReadVarInt(out ulong length)
            || gap + 2 > previous.Smallest)
        {
            return false;
        }

        ulong largest = previous.Smallest - gap - 2;
        if (length > largest)
        {
            return false;
        }

        range = new PacketNumberRange(largest - length, largest);
        return true;
    }

    /// <summary>The ranges, from the largest packet numbers down.</summary>
    public ref struct Enumerator
    {
        private WireReader _reader;
        private PacketNumberRange _current;
        private bool _started;

        internal Enumerator(AckFrame frame)
        {
            _reader = new WireReader(frame._ranges);
            _current = frame.First;
        }

        public readonly PacketNumberRange Current => _current;

        public bool MoveNext()
        {
            if (!_started)
            {
                _started = true;
                return true;
            }

            return !_reader.IsEmpty && TryReadRange(ref _reader, _current, out _current);
        }
    }
}
