namespace Post.Sockets.Transport;

/// <summary>How much a peer may have under way towards us; a transport enforces it with its flow control.</summary>
public sealed record TransportLimits
{
    /// <summary>Unidirectional streams the peer may have open at a time: objects under way, and the control stream.</summary>
    public int MaxInboundUnidirectionalStreams { get; init; } = 1024;

    /// <summary>Bidirectional streams the peer may have open at a time.</summary>
    public int MaxInboundBidirectionalStreams { get; init; } = 128;

    /// <summary>Bytes a stream may send beyond what was read from it.</summary>
    public int StreamReceiveWindow { get; init; } = 2 * 1024 * 1024;

    /// <summary>Bytes all streams together may send beyond what was read.</summary>
    public int ConnectionReceiveWindow { get; init; } = 16 * 1024 * 1024;
}
