namespace Post.Quic.Engine.Connection;

/// <summary>The life of a connection, in order.</summary>
internal enum ConnectionPhase : byte
{
    /// <summary>TLS has not finished.</summary>
    Handshaking,

    /// <summary>TLS has finished (RFC 9001 section 4.1.1).</summary>
    Established,

    /// <summary>We sent CONNECTION_CLOSE and answer what still comes with it (RFC 9000 section 10.2.1).</summary>
    Closing,

    /// <summary>The peer closed: we are silent until its last packets have passed (RFC 9000 section 10.2.2).</summary>
    Draining,

    /// <summary>Over: no timer runs and nothing is kept.</summary>
    Drained,
}
