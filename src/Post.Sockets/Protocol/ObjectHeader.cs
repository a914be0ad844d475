namespace Post.Sockets.Protocol;

/// <summary>
/// What stands before the payload of an object, on a stream as in a datagram. The spans are the caller's: those of a
/// parsed header live as long as the bytes and the scratch space that it was parsed from.
/// </summary>
internal ref struct ObjectHeader
{
    private const ObjectFlags Fields =
        ObjectFlags.HasLifetime | ObjectFlags.HasAntecedents | ObjectFlags.HasMetadata | ObjectFlags.HasLength
        | ObjectFlags.HasOffset | ObjectFlags.HasDurableId;

    private const ObjectFlags Known =
        Fields | ObjectFlags.OrderOnly | ObjectFlags.ImmediateReceipt | ObjectFlags.SafeToReplay
        | ObjectFlags.NoRetransmit;

    public ObjectHeader()
    {
    }

    public long Id { get; set; }

    /// <summary>How it is to be treated; which fields follow is worked out from the fields.</summary>
    public ObjectFlags Treatment { get; set; }

    public long Niceness { get; set; }

    /// <summary>When it was given to be sent, in microseconds of its sender's association clock; stated where the lifetime is finite.</summary>
    public long SentAt { get; set; }

    /// <summary>Its lifetime from then on, in microseconds; -1 for infinite.</summary>
    public long Lifetime { get; set; } = -1;

    /// <summary>The ids that it waits for, descending, each below <see cref="Id"/>.</summary>
    public ReadOnlySpan<long> Antecedents { get; set; }

    public ReadOnlySpan<byte> Metadata { get; set; }

    /// <summary>The bytes of the whole payload; -1 where the sender does not know yet.</summary>
    public long PayloadLength { get; set; } = -1;

    /// <summary>The offset in the payload of the first byte that follows; -1 where the header states none.</summary>
    public long Offset { get; set; } = -1;

    /// <summary>What the sender's application calls the object in every association; empty for nothing.</summary>
    public ReadOnlySpan<byte> DurableId { get; set; }

    /// <summary>The sender waits for START_AT before it sends any payload.</summary>
    public readonly bool AsksForStart => !DurableId.IsEmpty && Offset < 0;

    private readonly ObjectFlags Flags =>
        Treatment
        | (Lifetime >= 0 ? ObjectFlags.HasLifetime : 0)
        | (Antecedents.IsEmpty ? 0 : ObjectFlags.HasAntecedents)
        | (Metadata.IsEmpty ? 0 : ObjectFlags.HasMetadata)
        | (PayloadLength >= 0 ? ObjectFlags.HasLength : 0)
        | (Offset >= 0 ? ObjectFlags.HasOffset : 0)
        | (DurableId.IsEmpty ? 0 : ObjectFlags.HasDurableId);

    /// <summary>
    /// Reads a header with the type in front of it. <paramref name="scratch"/> receives the antecedents: give it
    /// <see cref="ProtocolLimits.MaxAntecedents"/> places. When the result is <see cref="ParseStatus.Invalid"/>,
    /// <paramref name="error"/> is what to close the connection with.
    /// </summary>
    public static ParseStatus TryParse(
        ReadOnlySpan<byte> source,
        Span<long> scratch,
        out ObjectHeader header,
        out int consumed,
        out PostErrorCode error)
    {
        header = new ObjectHeader();
        consumed = 0;
        error = PostErrorCode.NoError;
        var reader = new PostReader(source);
        if (!reader.TryReadInteger(out long type))
        {
            return ParseStatus.NeedMore;
        }

        if (type != StreamType.Object)
        {
            return Invalid(PostErrorCode.HeaderEncoding, out error);
        }

        if (!reader.TryReadInteger(out long id) || !reader.TryReadInteger(out long rawFlags))
        {
            return ParseStatus.NeedMore;
        }

        var flags = (ObjectFlags)rawFlags & Known;
        bool hasAntecedents = (flags & ObjectFlags.HasAntecedents) != 0;
        if ((flags & ObjectFlags.OrderOnly) != 0 && !hasAntecedents)
        {
            return Invalid(PostErrorCode.HeaderEncoding, out error);
        }

        header.Id = id;
        header.Treatment = flags & ~Fields;
        if (!reader.TryReadInteger(out long niceness))
        {
            return ParseStatus.NeedMore;
        }

        header.Niceness = niceness;
        if ((flags & ObjectFlags.HasLifetime) != 0)
        {
            if (!reader.TryReadInteger(out long sentAt) || !reader.TryReadInteger(out long lifetime))
            {
                return ParseStatus.NeedMore;
            }

            header.SentAt = sentAt;
            header.Lifetime = lifetime;
        }

        if (hasAntecedents)
        {
            ParseStatus status = ReadAntecedents(ref reader, id, scratch, out int count, out error);
            if (status != ParseStatus.Done)
            {
                return status;
            }

            header.Antecedents = scratch[..count];
        }

        if ((flags & ObjectFlags.HasMetadata) != 0)
        {
            if (!reader.TryReadInteger(out long length))
            {
                return ParseStatus.NeedMore;
            }

            // Refused by its stated length: nobody waits for metadata that would not be taken.
            if (length is 0 or > ProtocolLimits.MaxMetadata)
            {
                return Invalid(length == 0 ? PostErrorCode.HeaderEncoding : PostErrorCode.LimitExceeded, out error);
            }

            if (!reader.TryReadBytes(length, out ReadOnlySpan<byte> metadata))
            {
                return ParseStatus.NeedMore;
            }

            header.Metadata = metadata;
        }

        if ((flags & ObjectFlags.HasLength) != 0)
        {
            if (!reader.TryReadInteger(out long length))
            {
                return ParseStatus.NeedMore;
            }

            header.PayloadLength = length;
        }

        if ((flags & ObjectFlags.HasOffset) != 0)
        {
            if (!reader.TryReadInteger(out long offset))
            {
                return ParseStatus.NeedMore;
            }

            if (header.PayloadLength >= 0 && offset > header.PayloadLength)
            {
                return Invalid(PostErrorCode.OffsetError, out error);
            }

            header.Offset = offset;
        }

        if ((flags & ObjectFlags.HasDurableId) != 0)
        {
            if (!reader.TryReadInteger(out long length))
            {
                return ParseStatus.NeedMore;
            }

            if (length is 0 or > ProtocolLimits.MaxDurableId)
            {
                return Invalid(length == 0 ? PostErrorCode.HeaderEncoding : PostErrorCode.LimitExceeded, out error);
            }

            if (!reader.TryReadBytes(length, out ReadOnlySpan<byte> durableId))
            {
                return ParseStatus.NeedMore;
            }

            header.DurableId = durableId;
        }

        consumed = source.Length - reader.Remaining;
        return ParseStatus.Done;
    }

    /// <summary>The number of bytes that <see cref="Write"/> writes.</summary>
    public readonly int Length()
    {
        int length = PostInteger.Length(StreamType.Object)
            + PostInteger.Length(Id) + PostInteger.Length((long)Flags) + PostInteger.Length(Niceness);
        if (Lifetime >= 0)
        {
            length += PostInteger.Length(SentAt) + PostInteger.Length(Lifetime);
        }

        if (!Antecedents.IsEmpty)
        {
            length += PostInteger.Length(Antecedents.Length);
            long previous = Id;
            foreach (long antecedent in Antecedents)
            {
                length += PostInteger.Length(previous - antecedent);
                previous = antecedent;
            }
        }

        if (!Metadata.IsEmpty)
        {
            length += PostInteger.Length(Metadata.Length) + Metadata.Length;
        }

        length += PayloadLength >= 0 ? PostInteger.Length(PayloadLength) : 0;
        length += Offset >= 0 ? PostInteger.Length(Offset) : 0;
        return DurableId.IsEmpty ? length : length + PostInteger.Length(DurableId.Length) + DurableId.Length;
    }

    /// <summary>Writes the header with the type in front of it; returns the number of bytes written.</summary>
    public readonly int Write(Span<byte> destination)
    {
        var writer = new PostWriter(destination);
        writer.WriteInteger(StreamType.Object);
        writer.WriteInteger(Id);
        writer.WriteInteger((long)Flags);
        writer.WriteInteger(Niceness);
        if (Lifetime >= 0)
        {
            writer.WriteInteger(SentAt);
            writer.WriteInteger(Lifetime);
        }

        if (!Antecedents.IsEmpty)
        {
            writer.WriteInteger(Antecedents.Length);
            long previous = Id;
            foreach (long antecedent in Antecedents)
            {
                writer.WriteInteger(previous - antecedent);
                previous = antecedent;
            }
        }

        if (!Metadata.IsEmpty)
        {
            writer.WriteInteger(Metadata.Length);
            writer.WriteBytes(Metadata);
        }

        if (PayloadLength >= 0)
        {
            writer.WriteInteger(PayloadLength);
        }

        if (Offset >= 0)
        {
            writer.WriteInteger(Offset);
        }

        if (!DurableId.IsEmpty)
        {
            writer.WriteInteger(DurableId.Length);
            writer.WriteBytes(DurableId);
        }

        return writer.Written;
    }

    private static ParseStatus ReadAntecedents(
        ref PostReader reader, long id, Span<long> scratch, out int count, out PostErrorCode error)
    {
        count = 0;
        error = PostErrorCode.NoError;
        if (!reader.TryReadInteger(out long stated))
        {
            return ParseStatus.NeedMore;
        }

        if (stated == 0)
        {
            return Invalid(PostErrorCode.HeaderEncoding, out error);
        }

        if (stated > scratch.Length)
        {
            return Invalid(PostErrorCode.LimitExceeded, out error);
        }

        long previous = id;
        for (; count < stated; count++)
        {
            if (!reader.TryReadInteger(out long difference))
            {
                return ParseStatus.NeedMore;
            }

            // A difference of zero would name the object itself, or an antecedent twice; one too large would name an
            // id below zero. So a cycle cannot be written down at all.
            if (difference == 0 || difference > previous)
            {
                return Invalid(PostErrorCode.HeaderEncoding, out error);
            }

            previous -= difference;
            scratch[count] = previous;
        }

        return ParseStatus.Done;
    }

    private static ParseStatus Invalid(PostErrorCode code, out PostErrorCode error)
    {
        error = code;
        return ParseStatus.Invalid;
    }
}
