namespace Post.Quic.Engine.Wire.Frames;

/// <summary>CRYPTO (RFC 9000 section 19.6).</summary>
internal readonly ref struct CryptoFrame
{
    private CryptoFrame(ulong offset, ReadOnlySpan<byte> data)
    {
        Offset = offset;
        Data = data;
    }

    public ulong Offset { get; }

    public ReadOnlySpan<byte> Data { get; }

    public static bool TryParse(ref WireReader reader, out CryptoFrame frame)
    {
        if (reader.TryReadVarInt(out ulong offset)
            && reader.TryReadVarBytes(out ReadOnlySpan<byte> data)

            // RFC 9000 section 19.6: data beyond 2^62 - 1 is FRAME_ENCODING_ERROR or CRYPTO_BUFFER_EXCEEDED.
            && offset + (ulong)data.Length <= VarInt.MaxValue)
        {
            frame = new CryptoFrame(offset, data);
            return true;
        }

        frame = default;
        return false;
    }

    public static int LengthOf(ulong offset, int dataLength) =>
        1 + VarInt.Length(offset) + VarInt.Length((ulong)dataLength) + dataLength;

    /// <summary>The most data that a frame of at most <paramref name="budget"/> bytes carries; not positive: none.</summary>
    public static int MaxData(int budget, ulong offset) => LengthPrefix.MaxData(budget - 1 - VarInt.Length(offset));

    /// <summary>Everything before the data, which the caller then copies in itself.</summary>
    public static void WriteHeader(ref WireWriter writer, ulong offset, int dataLength)
    {
        writer.WriteVarInt(FrameType.Crypto);
        writer.WriteVarInt(offset);
        writer.WriteVarInt((ulong)dataLength);
    }

    public static void Write(ref WireWriter writer, ulong offset, scoped ReadOnlySpan<byte> data)
    {
        WriteHeader(ref writer, offset, data.Length);
        writer.WriteBytes(data);
    }
}
