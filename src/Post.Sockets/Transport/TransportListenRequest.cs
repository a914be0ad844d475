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

    /// <summary>Connections waiting to be accepted; more are refused.</summary>
    public int Backlog { get; init; } = 512;

    /// <summary>How the connections are to behave, and what a peer may have under way towards us.</summary>
    public TransportOptions Options { get; init; } = new();
}
