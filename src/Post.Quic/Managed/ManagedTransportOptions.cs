using Post.Quic.Engine;

namespace Post.Quic.Managed;

/// <summary>How <see cref="ManagedTransport"/> speaks QUIC.</summary>
public sealed record ManagedTransportOptions
{
    /// <inheritdoc cref="QuicConnectionOptions.KeyExchangeGroups"/>
    public IReadOnlyList<QuicKeyExchangeGroup>? KeyExchangeGroups { get; init; }
}
