using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// A packet that was sent (RFC 9002 appendix A.1.1): one entry of the ring, a cache line long. The packet builder
/// fills in what loss recovery asks for; the rest is recovery's own.
/// </summary>
internal struct SentPacket
{
    public ulong PacketNumber;

    public long TimeSent;

    /// <summary>Place of the first of its frames in the space's log.</summary>
    internal long FirstFrame;

    /// <summary>Delivery-rate sample: bytes that the network had delivered when this was sent.</summary>
    public ulong Delivered;

    /// <summary>Delivery-rate sample: microseconds since that was known.</summary>
    public uint SinceDelivered;

    /// <summary>Delivery-rate sample: microseconds since the flight began to which this belongs.</summary>
    public uint SinceFirstSent;

    /// <summary>Bytes in flight when this had been sent, itself included.</summary>
    public uint SentInFlight;

    /// <summary>Lowest bits of the bytes that had been taken for lost when this was sent.</summary>
    public uint LostBefore;

    internal int FrameCount;

    /// <summary>The path that it went by.</summary>
    public uint PathId;

    /// <summary>Bytes of the packet, header and AEAD tag included, without UDP and IP.</summary>
    public ushort Size;

    public SentPacketFlags Flags;

    internal SentPacketState State;

    /// <summary>The keys it was protected with: tells 0-RTT from 1-RTT in their common space.</summary>
    public EncryptionLevel Level;

    /// <summary>Lowest bits of the key-update generation it was protected with (RFC 9001 section 6).</summary>
    public byte KeyGeneration;

    /// <summary>Index of the network it was sent over, among the path's <see cref="Transmission"/>s.</summary>
    public byte NetworkIndex;

    /// <summary>The ECN field its datagram was sent with, not counting what the network made of it.</summary>
    public bool SentWithEct;

    public readonly bool IsAckEliciting => (Flags & SentPacketFlags.AckEliciting) != 0;

    public readonly bool IsInFlight => (Flags & SentPacketFlags.InFlight) != 0;

    public readonly bool IsOrphaned => (Flags & SentPacketFlags.Orphaned) != 0;

    public readonly bool IsAppLimited => (Flags & SentPacketFlags.AppLimited) != 0;

    public readonly bool IsMtuProbe => (Flags & SentPacketFlags.MtuProbe) != 0;
}
