using System.Net.Security;
using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Tls;

/// <summary>
/// All that a client must remember to resume a session, with or without early data. It holds a secret: whoever has it
/// can resume in the client's name.
/// </summary>
internal sealed class TlsSessionTicket
{
    public required string ServerName { get; init; }

    public required SslApplicationProtocol ApplicationProtocol { get; init; }

    public required CipherSuite CipherSuite { get; init; }

    /// <summary>The server's ticket, opaque to us.</summary>
    public required byte[] Identity { get; init; }

    /// <summary>The pre-shared key (RFC 8446 section 4.6.1).</summary>
    public required byte[] Secret { get; init; }

    public required uint AgeAdd { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public required TimeSpan Lifetime { get; init; }

    public required bool AllowsEarlyData { get; init; }

    /// <summary>
    /// The server's transport parameters of the session the ticket comes from: the limits of early data (RFC 9000
    /// section 7.4.1).
    /// </summary>
    public required byte[] TransportParameters { get; init; }

    /// <summary>The certificate (DER) that the server was identified by; a resumed session shows none.</summary>
    public required byte[] PeerCertificate { get; init; }

    /// <summary>Which rules the certificate was judged by: under other rules the ticket is not used.</summary>
    public required byte[] ValidationPolicy { get; init; }
}
