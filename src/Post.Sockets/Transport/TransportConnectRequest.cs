namespace Post.Sockets.Transport;

/// <summary>All a transport needs to connect.</summary>
public sealed record TransportConnectRequest
{
    /// <summary>Who we are: identity, interfaces and ports, session cache.</summary>
    public required Local Local { get; init; }

    /// <summary>Whom to reach, and what proves that it is them.</summary>
    public required Remote Remote { get; init; }

    /// <summary>The protocol to agree on (ALPN).</summary>
    public string Protocol { get; init; } = "post/1";

    /// <summary>How the connection is to behave, and what the peer may have under way towards us.</summary>
    public TransportOptions Options { get; init; } = new();
}
