namespace Post.Sockets.Transport;

/// <summary>All a transport needs to listen.</summary>
public sealed record TransportListenRequest
{
    /// <summary>Who we are: identity, and where to listen.</summary>
    public required Local Local { get; init; }

    /// <summary>
    /// What clients must prove: null asks for no client certificate; else a certificate is required and must satisfy it.
    /// </summary>
    public PeerTrust? ClientTrust { get; init; }

    /// <summary>The protocol to agree on (ALPN).</summary>
    public string Protocol { get; init; } = "post/1";

    /// <summary>What a peer may have under way towards us.</summary>
    public TransportLimits Limits { get; init; } = new();

    /// <summary>How long a handshake may take.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after which a connection is given up.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often to send something when nothing is to be sent; null: never.</summary>
    public TimeSpan? KeepAliveInterval { get; init; }

    /// <summary>Connections waiting to be accepted; more are refused.</summary>
    public int Backlog { get; init; } = 512;

    /// <summary>Accept early data from clients that resume a session.</summary>
    public bool AllowEarlyData { get; init; }
}
