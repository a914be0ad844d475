using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Recovery;

/// <summary>What the packet builder tells about the packet it has just built.</summary>
/// <param name="Size">Bytes of the packet, header and AEAD tag included, without UDP and IP.</param>
/// <param name="Flags">AckEliciting, InFlight, MtuProbe, PathProbe, PtoProbe; the others are recovery's own.</param>
/// <param name="Level">The keys it is protected with.</param>
/// <param name="KeyGeneration">Lowest bits of the key-update generation.</param>
/// <param name="Ecn">The mark of its datagram.</param>
internal readonly record struct PacketSent(
    int Size,
    SentPacketFlags Flags,
    EncryptionLevel Level,
    byte KeyGeneration = 0,
    EcnCodepoint Ecn = EcnCodepoint.NotEct);
