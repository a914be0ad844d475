using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary><see cref="TransportLimits"/> as configuration states them. What is null keeps the default.</summary>
public sealed class PostTransportLimitSettings
{
    /// <inheritdoc cref="TransportLimits.MaxInboundUnidirectionalStreams"/>
    public int? MaxInboundUnidirectionalStreams { get; set; }

    /// <inheritdoc cref="TransportLimits.MaxInboundBidirectionalStreams"/>
    public int? MaxInboundBidirectionalStreams { get; set; }

    /// <inheritdoc cref="TransportLimits.StreamReceiveWindow"/>
    public int? StreamReceiveWindow { get; set; }

    /// <inheritdoc cref="TransportLimits.ConnectionReceiveWindow"/>
    public int? ConnectionReceiveWindow { get; set; }

    /// <summary>These settings over the defaults.</summary>
    /// <returns>The limits.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range; the message says which, and the range.</exception>
    public TransportLimits ToLimits()
    {
        var defaults = new TransportLimits();
        return new TransportLimits
        {
            MaxInboundUnidirectionalStreams = MaxInboundUnidirectionalStreams ?? defaults.MaxInboundUnidirectionalStreams,
            MaxInboundBidirectionalStreams = MaxInboundBidirectionalStreams ?? defaults.MaxInboundBidirectionalStreams,
            StreamReceiveWindow = StreamReceiveWindow ?? defaults.StreamReceiveWindow,
            ConnectionReceiveWindow = ConnectionReceiveWindow ?? defaults.ConnectionReceiveWindow,
        };
    }
}
