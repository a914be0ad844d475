using System.Net.Security;

namespace Post.Quic.Engine;

/// <summary>How a listener serves one connection.</summary>
public sealed record QuicServerConnectionOptions : QuicConnectionOptions
{
    /// <summary>
    /// Protocols (at least one), certificates, and what is asked of clients. What TLS 1.3 for QUIC cannot honour is refused.
    /// </summary>
    public required SslServerAuthenticationOptions ServerAuthenticationOptions { get; init; }

    /// <summary>Take early data from clients that resume a session; false by default, because it can be replayed.</summary>
    public bool EnableEarlyData { get; init; }

    /// <summary>
    /// Ask the client not to move, and not to open paths, while it talks to the address that it connected to (RFC 9000 section 18.2,
    /// disable_active_migration); false by default. For servers behind something that finds them by the client's address.
    /// </summary>
    public bool ForbidMigration { get; init; }

    private protected override void Validate()
    {
        base.Validate();
        ArgumentNullException.ThrowIfNull(ServerAuthenticationOptions);
    }
}
