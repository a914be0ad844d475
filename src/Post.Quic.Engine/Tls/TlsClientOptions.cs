using System.Net.Security;

namespace Post.Quic.Engine.Tls;

/// <summary>What a client wants of a session.</summary>
internal sealed class TlsClientOptions
{
    /// <summary>The name or IP address the server's certificate must bear; names are sent as SNI.</summary>
    public required string TargetHost { get; init; }

    /// <summary>In order of preference; at least one (RFC 9001 section 8.1).</summary>
    public required IReadOnlyList<SslApplicationProtocol> ApplicationProtocols { get; init; }

    /// <summary>A session to resume.</summary>
    public TlsSessionTicket? SessionTicket { get; init; }

    /// <summary>Send early data when the ticket allows it. Early data can be replayed by an attacker.</summary>
    public bool EnableEarlyData { get; init; }

    /// <summary>Takes lines in the format of SSLKEYLOGFILE. Whoever reads them can decrypt the connection.</summary>
    public Action<string>? KeyLog { get; init; }
}
