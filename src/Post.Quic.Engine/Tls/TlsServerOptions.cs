using System.Net.Security;

namespace Post.Quic.Engine.Tls;

/// <summary>What a server offers to a client.</summary>
internal sealed class TlsServerOptions
{
    /// <summary>In order of preference; at least one (RFC 9001 section 8.1).</summary>
    public required IReadOnlyList<SslApplicationProtocol> ApplicationProtocols { get; init; }

    /// <summary>
    /// What early data relies on (the limits the client remembers): early data is only accepted under a ticket that
    /// was given with the same bytes (RFC 9000 section 7.4.1 forbids lower limits).
    /// </summary>
    public ReadOnlyMemory<byte> EarlyDataContext { get; init; }

    public bool EnableEarlyData { get; init; }

    /// <summary>Takes lines in the format of SSLKEYLOGFILE. Whoever reads them can decrypt the connection.</summary>
    public Action<string>? KeyLog { get; init; }
}
