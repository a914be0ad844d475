using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>All that a connection needs of the world around it; it reaches for nothing else.</summary>
internal sealed class ConnectionSetup
{
    public required ConnectionSettings Settings { get; init; }

    public required IConnectionEvents Events { get; init; }

    public required IConnectionIdSource ConnectionIds { get; init; }

    public required RandomSource Random { get; init; }

    public required CryptoProvider Crypto { get; init; }

    /// <summary>Makes the TLS session that reports to the given host.</summary>
    public required Func<ITlsHost, TlsSession> CreateTls { get; init; }

    /// <summary>Our address as far as it is known; the host part may be unspecified.</summary>
    public required NetworkAddress Local { get; init; }

    public required NetworkAddress Remote { get; init; }

    /// <summary>
    /// Client: the destination id of the first packet, for an owner that names the connection by it from the start. At
    /// least 8 unpredictable bytes (RFC 9000 section 7.2); empty, the default, for one of the core's choice.
    /// </summary>
    public ConnectionId FirstDestination { get; init; }

    /// <summary>Watches packets go by, for qlog; null costs nothing.</summary>
    public ConnectionTrace? Trace { get; init; }

    /// <summary>Client: a token of an earlier connection to the same server (RFC 9000 section 8.1.3).</summary>
    public ReadOnlyMemory<byte> Token { get; init; }

    /// <summary>
    /// Client: the server's transport parameters remembered with the session ticket; without them no early data.
    /// </summary>
    public ReadOnlyMemory<byte> RememberedParameters { get; init; }

    /// <summary>Server: addresses where clients shall move to after the handshake (RFC 9000 section 9.6).</summary>
    public NetworkAddress PreferredIPv4 { get; init; }

    public NetworkAddress PreferredIPv6 { get; init; }
}
