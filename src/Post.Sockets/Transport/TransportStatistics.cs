namespace Post.Sockets.Transport;

/// <summary>Measurements of a connection. What a transport does not measure is null.</summary>
public readonly record struct TransportStatistics
{
    /// <summary>Smoothed round-trip time of the main path.</summary>
    public TimeSpan? SmoothedRtt { get; init; }

    /// <summary>Smallest round-trip time of the main path.</summary>
    public TimeSpan? MinRtt { get; init; }

    /// <summary>Bytes that may be in flight (the sum over all paths).</summary>
    public long? CongestionWindow { get; init; }

    /// <summary>Bytes in flight.</summary>
    public long? BytesInFlight { get; init; }

    /// <summary>Measured or estimated rate at which bytes are delivered, in bits per second.</summary>
    public long? EstimatedRate { get; init; }

    /// <summary>
    /// Bits per second that leave at most, however much waits, once <see cref="CongestionWindow"/> is full: what the transport's pacing lets out,
    /// or its link. Null where no such bound holds, as while the window is doubling.
    /// </summary>
    public long? MaximumRate { get; init; }

    /// <summary>Bytes sent on the network.</summary>
    public long? BytesSent { get; init; }

    /// <summary>Bytes received from the network.</summary>
    public long? BytesReceived { get; init; }

    /// <summary>Packets sent.</summary>
    public long? PacketsSent { get; init; }

    /// <summary>Packets taken to be lost.</summary>
    public long? PacketsLost { get; init; }
}
