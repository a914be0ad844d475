namespace Post.Quic.Engine.Wire.Frames;

/// <summary>DATAGRAM (RFC 9221 section 4).</summary>
internal readonly ref struct DatagramFrame
{
    private DatagramFrame(ReadOnlySpan<byte> data, int length)
    {
        Data = data;
        Length = length;
    }

    public ReadOnlySpan<byte> Data { get; }

    /// <summary>
    /// The whole frame with its type and length: what max_datagram_frame_size measures (RFC 9221 section 3).
    /// </summary>
    public int Length { get; }

    public static bool TryParse(ulong type, ref WireReader reader, out DatagramFrame frame)
    {
        int start = reader.Position;
        bool read = type == FrameType.DatagramWithLength
            ? reader.TryReadVarBytes(out ReadOnlySpan<byte> data)
            : reader.TryReadBytes(reader.Remaining, out data);
        frame = new DatagramFrame(data, 1 + reader.Position - start);
        return read;
    }

    /// <summary>The size of the frame that carries this much data.</summary>
    public static int LengthOf(int dataLength, bool withLength) =>
        1 + (withLength ? VarInt.Length((ulong)dataLength) : 0) + dataLength;

    /// <summary>Without a length the frame must be the last of its packet.</summary>
    public static void Write(ref WireWriter writer, scoped ReadOnlySpan<byte> data, bool withLength = true)
    {
        writer.WriteVarInt(withLength ? FrameType.DatagramWithLength : FrameType.Datagram);
        if (withLength)
        {
            writer.WriteVarInt((ulong)data.Length);
        }

        writer.WriteBytes(data);
    }
}
