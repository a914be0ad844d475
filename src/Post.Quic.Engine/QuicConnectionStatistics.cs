namespace Post.Quic.Engine;

/// <summary>Counters of a connection since it began; those of a path stand in <see cref="QuicPath"/>.</summary>
public readonly record struct QuicConnectionStatistics
{
    /// <summary>UDP datagrams sent.</summary>
    public long DatagramsSent { get; init; }

    /// <summary>UDP datagrams received.</summary>
    public long DatagramsReceived { get; init; }

    /// <summary>Bytes of UDP payload sent.</summary>
    public long BytesSent { get; init; }

    /// <summary>Bytes of UDP payload received.</summary>
    public long BytesReceived { get; init; }

    /// <summary>QUIC packets sent.</summary>
    public long PacketsSent { get; init; }

    /// <summary>QUIC packets received.</summary>
    public long PacketsReceived { get; init; }

    /// <summary>Packets received that did not authenticate, were seen before or could not be read.</summary>
    public long PacketsDropped { get; init; }

    /// <summary>Packets taken for lost.</summary>
    public long PacketsLost { get; init; }

    /// <summary>Packets taken for lost that arrived after all.</summary>
    public long SpuriousLosses { get; init; }

    /// <summary>Times that probes were sent because no acknowledgement came.</summary>
    public long ProbeTimeouts { get; init; }

    /// <summary>Changes of the 1-RTT keys, by either side.</summary>
    public long KeyUpdates { get; init; }

    /// <summary>From the first packet to the end of the handshake; zero before that.</summary>
    public TimeSpan HandshakeDuration { get; init; }
}
