namespace Post.Quic.Engine.Wire.Frames;

/// <summary>Packet numbers from <paramref name="Smallest"/> to <paramref name="Largest"/>, both included.</summary>
internal readonly record struct PacketNumberRange(ulong Smallest, ulong Largest)
{
}
