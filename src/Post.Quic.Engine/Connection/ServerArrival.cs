using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>What the endpoint knows of a client when it accepts its first Initial packet.</summary>
internal readonly record struct ServerArrival
{
    /// <summary>The version of that packet.</summary>
    public required QuicVersion Version { get; init; }

    /// <summary>The destination connection id of that packet, from which the Initial keys follow.</summary>
    public required ConnectionId DestinationConnectionId { get; init; }

    /// <summary>The source connection id of that packet: how the client wants to be addressed.</summary>
    public required ConnectionId SourceConnectionId { get; init; }

    /// <summary>
    /// The destination connection id of the client's very first packet: the same, unless a Retry came between (then
    /// its token carries this).
    /// </summary>
    public required ConnectionId OriginalDestinationConnectionId { get; init; }

    /// <summary>The client answered our Retry, which carried this id.</summary>
    public ConnectionId? RetrySourceConnectionId { get; init; }

    /// <summary>A token proved the client's address (RFC 9000 section 8.1): no limit of three times holds.</summary>
    public bool IsAddressValidated { get; init; }
}
