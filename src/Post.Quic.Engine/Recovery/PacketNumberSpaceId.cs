namespace Post.Quic.Engine.Recovery;

/// <summary>The packet-number spaces (RFC 9000 section 12.3). 0-RTT and 1-RTT share the last.</summary>
internal enum PacketNumberSpaceId : byte
{
    Initial,
    Handshake,
    Application,
}
