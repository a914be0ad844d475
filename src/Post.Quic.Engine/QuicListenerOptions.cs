using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Security;
using Microsoft.Extensions.Logging;
using Post.Quic.Engine.Time;

namespace Post.Quic.Engine;

/// <summary>How to listen.</summary>
public sealed record QuicListenerOptions
{
    /// <summary>Where; port 0 lets the system choose one.</summary>
    public required IPEndPoint ListenEndPoint { get; init; }

    /// <inheritdoc cref="QuicEndpointOptions.DualMode"/>
    /// <remarks>For an endpoint of its own.</remarks>
    public bool DualMode { get; init; } = true;

    /// <summary>
    /// Addresses of this machine to which clients are asked to move after the handshake (RFC 9000 section 9.6), one of IPv4 and one of IPv6
    /// at most; the listener receives there as well. Port 0 is the port of <see cref="ListenEndPoint"/>. Empty, the default: none. It serves
    /// where the address that clients connect to is shared by several servers, and one of its own reaches this one for certain.
    /// </summary>
    public IReadOnlyList<IPEndPoint> PreferredEndPoints { get; init; } = [];

    /// <summary>The options for each connection, chosen when the client has said what it wants.</summary>
    public required Func<QuicConnection, SslClientHelloInfo, CancellationToken, ValueTask<QuicServerConnectionOptions>> ConnectionOptionsCallback { get; init; }

    /// <summary>Connections that wait to be accepted; more are refused. 512 by default.</summary>
    public int ListenBacklog { get; init; } = 512;

    /// <summary>When clients must prove their address before anything is spent on them.</summary>
    public QuicRetryPolicy Retry { get; init; } = QuicRetryPolicy.UnderLoad;

    /// <summary>Handshakes under way at most; what comes beyond is dropped, and an honest client tries again. 4096 by default.</summary>
    public int MaxConcurrentHandshakes { get; init; } = 4096;

    /// <summary>
    /// The endpoint to listen on, which has an address, a clock, logs and keys already; null, the default: one of its own, at
    /// <see cref="ListenEndPoint"/>.
    /// </summary>
    public QuicEndpoint? Endpoint { get; init; }

    /// <inheritdoc cref="QuicEndpointOptions.StatelessResetKey"/>
    /// <remarks>For an endpoint of its own.</remarks>
    public ReadOnlyMemory<byte> StatelessResetKey { get; init; }

    /// <inheritdoc cref="QuicEndpointOptions.TokenKey"/>
    /// <remarks>For an endpoint of its own.</remarks>
    public ReadOnlyMemory<byte> TokenKey { get; init; }

    /// <summary>The clock, for an endpoint of its own; by default one that runs on while the machine sleeps.</summary>
    public TimeProvider TimeProvider { get; init; } = BootTimeProvider.Shared;

    /// <summary>Where it logs, for an endpoint of its own; null: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>Where the instruments live, for an endpoint of its own; null: on a meter of the process.</summary>
    public IMeterFactory? MeterFactory { get; init; }

    /// <summary>Writes a qlog of each connection; null, the default: none.</summary>
    public QuicTraceOptions? Trace { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(ListenEndPoint);
        ArgumentNullException.ThrowIfNull(ConnectionOptionsCallback);
        CheckPreferred();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ListenBacklog);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConcurrentHandshakes);
        QuicEndpointOptions.CheckKey(StatelessResetKey, Crypto.StatelessResetKey.KeyLength, nameof(StatelessResetKey));
        QuicEndpointOptions.CheckKey(TokenKey, Crypto.TokenSealer.RootKeyLength, nameof(TokenKey));
        if (Endpoint is { } endpoint)
        {
            QuicEndpointOptions.CheckBeside(endpoint, ListenEndPoint, nameof(ListenEndPoint));
            QuicEndpointOptions.CheckBeside(StatelessResetKey.IsEmpty, nameof(StatelessResetKey));
            QuicEndpointOptions.CheckBeside(DualMode, nameof(DualMode));
            QuicEndpointOptions.CheckBeside(TokenKey.IsEmpty, nameof(TokenKey));
            QuicEndpointOptions.CheckBeside(TimeProvider == BootTimeProvider.Shared || TimeProvider == endpoint.Host.Clock.TimeProvider, nameof(TimeProvider));
        }

        if (!Enum.IsDefined(Retry))
        {
            throw new ArgumentException(
                $"{nameof(Retry)} is {Retry}; use one of {string.Join(", ", Enum.GetNames<QuicRetryPolicy>())}.", nameof(Retry));
        }
        Trace?.Validate();
    }

    private void CheckPreferred()
    {
        ArgumentNullException.ThrowIfNull(PreferredEndPoints);
        foreach (IPEndPoint one in PreferredEndPoints)
        {
            if (one.Address.Equals(IPAddress.Any) || one.Address.Equals(IPAddress.IPv6Any) || one.Address.IsIPv4MappedToIPv6)
            {
                throw new ArgumentException(
                    $"{one} in {nameof(PreferredEndPoints)} is no address that clients could move to; name one of this machine.",
                    nameof(PreferredEndPoints));
            }

            if (PreferredEndPoints.Count(other => other.AddressFamily == one.AddressFamily) > 1)
            {
                throw new ArgumentException(
                    $"{nameof(PreferredEndPoints)} names several addresses of {one.AddressFamily}; name one of each family at most.",
                    nameof(PreferredEndPoints));
            }
        }
    }
}
