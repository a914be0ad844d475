namespace Post.Quic.Engine.Wire.Frames;

/// <summary>Packets received with each ECN mark (RFC 9000 section 19.3.2).</summary>
internal readonly record struct EcnCounts(ulong Ect0, ulong Ect1, ulong Ce)
{
    public int Length => VarInt.Length(Ect0) + VarInt.Length(Ect1) + VarInt.Length(Ce);
}
