namespace Post.Quic.Engine.Wire.Frames;

/// <summary>NEW_TOKEN (RFC 9000 section 19.7).</summary>
internal readonly ref struct NewTokenFrame
{
    public NewTokenFrame(ReadOnlySpan<byte> token)
    {
        Token = token;
    }

    public ReadOnlySpan<byte> Token { get; }

    public int Length => 1 + VarInt.Length((ulong)Token.Length) + Token.Length;

    public static bool TryParse(ref WireReader reader, out NewTokenFrame frame)
    {
        // RFC 9000 section 19.7: an empty token is FRAME_ENCODING_ERROR.
        bool read = reader.TryReadVarBytes(out ReadOnlySpan<byte> token) && !token.IsEmpty;
        frame = new NewTokenFrame(token);
        return read;
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteVarInt(FrameType.NewToken);
        writer.WriteVarBytes(Token);
    }
}
