namespace Post.Quic.Engine.Endpoint;

/// <summary>What a listening endpoint lets in.</summary>
internal sealed record IncomingPolicy
{
    public QuicRetryPolicy Retry { get; init; } = QuicRetryPolicy.UnderLoad;

    /// <summary>Handshakes under way from which on clients must prove their address.</summary>
    public int RetryThreshold { get; init; } = 256;

    /// <summary>Handshakes under way at most; what comes beyond is dropped, and an honest client comes again.</summary>
    public int MaxHandshakes { get; init; } = 4096;
}
