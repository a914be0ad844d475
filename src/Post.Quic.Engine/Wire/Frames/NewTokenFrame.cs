namespace Post.Quic.Engine.Wire.Frames;

/// <summary>NEW_TOKEN (RFC 9000 section 19.7).</summary>
internal readonly ref struct NewTokenFrame
{
    private NewTokenFrame(ReadOnlySpan<byte> token)
    {
        Token = token;
    }

    public ReadOnlySpan<byte> Token { get; }

    public static int LengthOf(int tokenLength) => 1 + VarInt.Length((ulong)tokenLength) + tokenLength;

    public static bool TryParse(ref WireReader reader, out NewTokenFrame frame)
    {
        // RFC 9000 section 19.7: an empty token is FRAME_ENCODING_ERROR.
        bool read = reader.TryReadVarBytes(out ReadOnlySpan<byte> token) && !token.IsEmpty;
        frame = new NewTokenFrame(token);
        return read;
    }

    public static void Write(ref WireWriter writer, scoped ReadOnlySpan<byte> token)
    {
        writer.WriteVarInt(FrameType.NewToken);
        writer.WriteVarBytes(token);
    }
}
