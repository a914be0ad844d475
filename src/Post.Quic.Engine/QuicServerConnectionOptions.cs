using System.Net.Security;

namespace Post.Quic.Engine;

/// <summary>How a listener serves one connection.</summary>
public sealed record QuicServerConnectionOptions : QuicConnectionOptions
{
    /// <summary>
    /// Protocols (at least one), certificates, and what is asked of clients. What TLS 1.3 for QUIC cannot honour is refused.
    /// </summary>
    public required SslServerAuthenticationOptions ServerAuthenticationOptions { get; init; }

    /// <summary>
    /// SHA-256 hashes of public keys (SubjectPublicKeyInfo): where given, a client that shows a certificate proves itself by having one of
    /// them, and nothing else counts: no authority, no date, no usage, and no validation callback may stand beside them.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> PinnedPublicKeys { get; init; } = [];

    /// <summary>Take early data from clients that resume a session; false by default, because it can be replayed.</summary>
    public bool EnableEarlyData { get; init; }

    private protected override void Validate()
    {
        base.Validate();
        ArgumentNullException.ThrowIfNull(ServerAuthenticationOptions);
    }
}
