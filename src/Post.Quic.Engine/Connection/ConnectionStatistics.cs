namespace Post.Quic.Engine.Connection;

/// <summary>Counters of a whole connection; those of a path stand in PathStatistics.</summary>
internal readonly record struct ConnectionStatistics
{
    public long DatagramsSent { get; init; }

    public long DatagramsReceived { get; init; }

    public long BytesSent { get; init; }

    public long BytesReceived { get; init; }

    /// <summary>Of the bytes sent and received, those on paths beside the first.</summary>
    public long BytesSentBeside { get; init; }

    public long BytesReceivedBeside { get; init; }

    public long PacketsSent { get; init; }

    public long PacketsReceived { get; init; }

    /// <summary>Packets that did not authenticate, were seen before or could not be read.</summary>
    public long PacketsDropped { get; init; }

    public PacketDropCounts PacketsDroppedByReason { get; init; }

    public long StreamsOpenedByUs { get; init; }

    public long StreamsOpenedByPeer { get; init; }

    public long PacketsLost { get; init; }

    public long SpuriousLosses { get; init; }

    public long ProbeTimeouts { get; init; }

    public long KeyUpdates { get; init; }

    /// <summary>Microseconds from the first packet to the end of the handshake; 0 before that.</summary>
    public long HandshakeDuration { get; init; }
}
