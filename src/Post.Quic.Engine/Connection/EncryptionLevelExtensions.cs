using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>How encryption levels and packet-number spaces belong together (RFC 9000 section 12.3).</summary>
internal static class EncryptionLevelExtensions
{
    public static PacketNumberSpaceId Space(this EncryptionLevel level) => level switch
    {
        EncryptionLevel.Initial => PacketNumberSpaceId.Initial,
        EncryptionLevel.Handshake => PacketNumberSpaceId.Handshake,
        _ => PacketNumberSpaceId.Application,
    };
}
