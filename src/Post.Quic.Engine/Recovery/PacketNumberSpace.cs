namespace Post.Quic.Engine.Recovery;

/// <summary>
/// One packet-number space (RFC 9000 section 12.3): the numbers it gives out, the packets that are on their way and
/// the frames they carry. The application space belongs to a path id, since multipath has one for each path.
/// </summary>
/// <remarks>
/// To send a packet: use <see cref="NextPacketNumber"/> (it stays the same until the packet is sent), record its
/// frames in <see cref="Frames"/>, then call loss recovery's OnPacketSent, or
/// <see cref="SentFrameLog.Discard"/> if it is not sent after all.
/// </remarks>
internal sealed class PacketNumberSpace : IDisposable
{
    public PacketNumberSpace(PacketNumberSpaceId id, uint pathId = 0)
    {
        Id = id;
        PathId = pathId;
    }

    public PacketNumberSpaceId Id { get; }

    /// <summary>The multipath path id the space belongs to; 0 everywhere but in multipath's application spaces.</summary>
    public uint PathId { get; }

    /// <summary>What the packets on their way carry; the packet being built records here.</summary>
    public SentFrameLog Frames { get; } = new();

    /// <summary>The packets on their way.</summary>
    public SentPackets Sent { get; } = new();

    /// <summary>The number of the next packet to be sent.</summary>
    public ulong NextPacketNumber { get; internal set; }

    /// <summary>The largest number the peer acknowledged; the reference for packet-number truncation (RFC 9000 A.2).</summary>
    public ulong? LargestAcked { get; internal set; }

    /// <summary>Keys are gone, and everything with them (RFC 9002 section 6.4).</summary>
    public bool IsDiscarded { get; internal set; }

    public void Dispose()
    {
        Sent.Dispose();
        Frames.Dispose();
    }
}
