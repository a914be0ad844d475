namespace Post.Quic.Engine.Wire.Packets;

/// <summary>The kinds of packet of versions 1 and 2 (RFC 9000 section 17).</summary>
internal enum PacketType : byte
{
    Initial,
    ZeroRtt,
    Handshake,
    Retry,

    /// <summary>The short header (RFC 9000 section 17.3).</summary>
    OneRtt,
    VersionNegotiation,
}
