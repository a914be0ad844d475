namespace Post.Quic.Engine;

/// <summary>When a listener makes clients prove their address before it spends anything on them (RFC 9000 section 8.1.2).</summary>
public enum QuicRetryPolicy
{
    /// <summary>While many handshakes are under way; the default.</summary>
    UnderLoad,

    /// <summary>Always: costs every client a round trip.</summary>
    Always,

    /// <summary>Never: for closed networks only.</summary>
    Never,
}
