namespace Post.Quic.Engine.Wire.Packets;

/// <summary>What became of the bytes at the front of a datagram.</summary>
internal enum PacketParseResult : byte
{
    Parsed,

    /// <summary>No packet: it is dropped with all that follows it in the datagram.</summary>
    Malformed,

    /// <summary>A long header of a version that we do not speak; only <see cref="InvariantHeader"/> reads it.</summary>
    UnknownVersion,
}
