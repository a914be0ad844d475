namespace Post.Quic.Engine.Wire.Frames;

/// <summary>STREAM (RFC 9000 section 19.8).</summary>
internal readonly ref struct StreamFrame
{
    private const ulong FinBit = 0x01;
    private const ulong LengthBit = 0x02;
    private const ulong OffsetBit = 0x04;

    private StreamFrame(ulong streamId, ulong offset, ReadOnlySpan<byte> data, bool fin)
    {
        StreamId = streamId;
        Offset = offset;
        Data = data;
        Fin = fin;
    }

    public ulong StreamId { get; }

    public ulong Offset { get; }

    public ReadOnlySpan<byte> Data { get; }

    public bool Fin { get; }

    /// <summary>Where the data ends, at most 2^62 - 1.</summary>
    public ulong EndOffset => Offset + (ulong)Data.Length;

    public static bool TryParse(ulong type, ref WireReader reader, out StreamFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out ulong streamId))
        {
            return false;
        }

        ulong offset = 0;
        if ((type & OffsetBit) != 0 && !reader.TryReadVarInt(out offset))
        {
            return false;
        }

        bool read = (type & LengthBit) != 0
            ? reader.TryReadVarBytes(out ReadOnlySpan<byte> data)
            : reader.TryReadBytes(reader.Remaining, out data);

        // RFC 9000 section 19.8: data beyond 2^62 - 1 is FRAME_ENCODING_ERROR or FLOW_CONTROL_ERROR.
        if (!read || offset + (ulong)data.Length > VarInt.MaxValue)
        {
            return false;
        }

        frame = new StreamFrame(streamId, offset, data, (type & FinBit) != 0);
        return true;
    }

    /// <summary>Bytes before the data.</summary>
    public static int HeaderLength(ulong streamId, ulong offset, int dataLength, bool withLength) =>
        1 + VarInt.Length(streamId)
        + (offset == 0 ? 0 : VarInt.Length(offset))
        + (withLength ? VarInt.Length((ulong)dataLength) : 0);

    /// <summary>
    /// The most data that a frame with a length field of at most <paramref name="budget"/> bytes carries; -1 where
    /// not even an empty one fits.
    /// </summary>
    public static int MaxData(int budget, ulong streamId, ulong offset) =>
        LengthPrefix.MaxData(budget - HeaderLength(streamId, offset, 0, withLength: false));

    /// <summary>
    /// Everything before the data, which the caller then copies in itself. Without a length the frame must be the
    /// last of its packet and fill it.
    /// </summary>
    public static void WriteHeader(
        ref WireWriter writer,
        ulong streamId,
        ulong offset,
        int dataLength,
        bool fin,
        bool withLength = true)
    {
        writer.WriteVarInt(
            FrameType.Stream
            | (fin ? FinBit : 0)
            | (withLength ? LengthBit : 0)
            | (offset == 0 ? 0 : OffsetBit));
        writer.WriteVarInt(streamId);
        if (offset != 0)
        {
            writer.WriteVarInt(offset);
        }

        if (withLength)
        {
            writer.WriteVarInt((ulong)dataLength);
        }
    }

    public static void Write(
        ref WireWriter writer,
        ulong streamId,
        ulong offset,
        scoped ReadOnlySpan<byte> data,
        bool fin,
        bool withLength = true)
    {
        WriteHeader(ref writer, streamId, offset, data.Length, fin, withLength);
        writer.WriteBytes(data);
    }
}
