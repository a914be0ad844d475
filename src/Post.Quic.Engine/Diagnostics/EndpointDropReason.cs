namespace Post.Quic.Engine.Diagnostics;

/// <summary>Why an endpoint dropped a datagram that reached no connection.</summary>
internal enum EndpointDropReason : byte
{
    /// <summary>Not a QUIC packet.</summary>
    Malformed,

    /// <summary>Its connection is not known, and no stateless reset answers it.</summary>
    UnknownConnection,

    /// <summary>A client's first datagram below 1200 bytes (RFC 9000 section 14.1).</summary>
    TooShort,

    /// <summary>The endpoint takes no connections.</summary>
    NotListening,

    /// <summary>As many handshakes are under way as may be.</summary>
    Saturated,

    /// <summary>An answer was due, but so many were sent lately that this one was not.</summary>
    RateLimited,
}
