namespace Post.Quic.Engine.Udp;

/// <summary>What a socket can do here: stated, not guessed by its user.</summary>
[Flags]
internal enum UdpFeatures
{
    None = 0,

    /// <summary>One call sends many datagrams (UDP_SEGMENT).</summary>
    Segmentation = 1 << 0,

    /// <summary>One call receives many datagrams of one flow (UDP_GRO).</summary>
    Coalescing = 1 << 1,

    /// <summary>ECN marks are sent and seen.</summary>
    Ecn = 1 << 2,

    /// <summary>The local address of each datagram is seen and can be chosen.</summary>
    PacketInfo = 1 << 3,

    /// <summary>No router or kernel fragments what is sent, so that the path's MTU can be probed (RFC 9000 section 14).</summary>
    DontFragment = 1 << 4,

    /// <summary>The kernel says when each datagram reached the machine.</summary>
    ArrivalTime = 1 << 5,
}
