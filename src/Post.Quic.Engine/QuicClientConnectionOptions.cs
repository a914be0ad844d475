using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Security;
using Microsoft.Extensions.Logging;
using Post.Quic.Engine.Time;

namespace Post.Quic.Engine;

/// <summary>How to connect.</summary>
public sealed record QuicClientConnectionOptions : QuicConnectionOptions
{
    /// <summary>Whom to connect to: an <see cref="IPEndPoint"/>, or a <see cref="DnsEndPoint"/> whose addresses are tried in turn.</summary>
    public required EndPoint RemoteEndPoint { get; init; }

    /// <summary>From where; null, the default: the system chooses.</summary>
    public IPEndPoint? LocalEndPoint { get; init; }

    /// <summary>
    /// Protocols (at least one), target host, certificates and their validation. What TLS 1.3 for QUIC cannot honour is
    /// refused. Certificates that the server should have sent are not downloaded from where its own says, and nothing is asked about
    /// revocation, unless a <see cref="SslClientAuthenticationOptions.CertificateChainPolicy"/> or
    /// <see cref="SslClientAuthenticationOptions.CertificateRevocationCheckMode"/> asks for it.
    /// </summary>
    public required SslClientAuthenticationOptions ClientAuthenticationOptions { get; init; }

    /// <summary>
    /// A session to resume, from <see cref="QuicConnectionEvents.OnSessionTicket"/>; null: none. It is used only for the
    /// name, under the rules, and with the client certificate that it was given for, for 7 days after the server last showed
    /// its certificate. The server is not judged again: where a validation callback is among the rules, give the ticket only
    /// with the same one (RFC 8446 section 4.6.1).
    /// </summary>
    public QuicSessionTicket? SessionTicket { get; init; }

    /// <summary>
    /// Connect without waiting for the handshake where <see cref="SessionTicket"/> allows it: what is sent before
    /// <see cref="QuicConnectionEvents.OnHandshakeComplete"/> can be replayed by an attacker.
    /// </summary>
    public bool EnableEarlyData { get; init; }

    /// <summary>
    /// Where the server prefers another of its addresses, move there once the handshake is confirmed, if it answers there (RFC 9000 section
    /// 9.6); true by default. If it does not, the connection stays where it is. Turn it off where only the address that was
    /// connected to can or may be reached, for example through a relay.
    /// </summary>
    public bool FollowPreferredAddress { get; init; } = true;

    /// <summary>The endpoint whose socket the connection uses; null, the default: one of its own.</summary>
    public QuicEndpoint? Endpoint { get; init; }

    /// <summary>The clock, for an endpoint of its own; by default one that runs on while the machine sleeps.</summary>
    public TimeProvider TimeProvider { get; init; } = BootTimeProvider.Shared;

    /// <summary>Where it logs, for an endpoint of its own; null: nowhere.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>Where the instruments live, for an endpoint of its own; null: on a meter of the process.</summary>
    public IMeterFactory? MeterFactory { get; init; }

    /// <summary>Writes a qlog of the connection; null, the default: none.</summary>
    public QuicTraceOptions? Trace { get; init; }

    private protected override void Validate()
    {
        base.Validate();
        ArgumentNullException.ThrowIfNull(RemoteEndPoint);
        ArgumentNullException.ThrowIfNull(ClientAuthenticationOptions);
        Trace?.Validate();
        if (Endpoint is { } endpoint)
        {
            QuicEndpointOptions.CheckBeside(endpoint, LocalEndPoint, nameof(LocalEndPoint));
            QuicEndpointOptions.CheckBeside(TimeProvider == BootTimeProvider.Shared || TimeProvider == endpoint.Host.Clock.TimeProvider, nameof(TimeProvider));
        }

        if (RemoteEndPoint is not (IPEndPoint or DnsEndPoint))
        {
            throw new ArgumentException(
                $"{nameof(RemoteEndPoint)} is a {RemoteEndPoint.GetType().Name}; give an IPEndPoint or a DnsEndPoint.",
                nameof(RemoteEndPoint));
        }
    }
}
