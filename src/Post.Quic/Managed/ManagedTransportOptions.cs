using System.Net;
using Post.Quic.Engine;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>How <see cref="ManagedTransport"/> speaks QUIC.</summary>
public sealed record ManagedTransportOptions
{
    /// <inheritdoc cref="QuicConnectionOptions.KeyExchangeGroups"/>
    public IReadOnlyList<QuicKeyExchangeGroup>? KeyExchangeGroups { get; init; }

    /// <summary>
    /// At least 32 secret bytes, the same each time the program starts, from which listeners make what tells peers at their next packet that
    /// their connections did not survive a restart (RFC 9000 section 10.3.2). Empty, the default: made from the private key of the identity,
    /// which needs one that can be exported, and a machine that keeps its name. Where neither is there, peers wait for their idle timeout.
    /// </summary>
    public ReadOnlyMemory<byte> RestartSecret { get; init; }

    /// <summary>
    /// Whom associations hear from when the machine's interfaces, addresses and routes change. Null, the default: from the system itself, on
    /// Linux within milliseconds.
    /// </summary>
    public InterfaceWatcher? Interfaces { get; init; }

    /// <inheritdoc cref="QuicListenerOptions.PreferredEndPoints"/>
    public IReadOnlyList<IPEndPoint> PreferredEndPoints { get; init; } = [];

    /// <inheritdoc cref="QuicClientConnectionOptions.FollowPreferredAddress"/>
    public bool FollowPreferredAddress { get; init; } = true;
}
