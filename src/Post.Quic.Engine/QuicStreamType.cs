namespace Post.Quic.Engine;

/// <summary>The two kinds of streams (RFC 9000 section 2.1).</summary>
public enum QuicStreamType
{
    /// <summary>Whoever opens it writes, the other reads.</summary>
    Unidirectional,

    /// <summary>Both write and read.</summary>
    Bidirectional,
}
