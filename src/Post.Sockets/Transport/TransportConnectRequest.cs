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

    /// <summary>What the peer may have under way towards us.</summary>
    public TransportLimits Limits { get; init; } = new();

    /// <summary>How long the handshake may take.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after which the connection is given up.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often to send something when nothing is to be sent; null: never.</summary>
    public TimeSpan? KeepAliveInterval { get; init; }

    /// <summary>
    /// Return as soon as early data can be sent, when <see cref="Local.Sessions"/> holds a session that allows it.
    /// </summary>
    public bool AllowEarlyData { get; init; }
}
