using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Quic.Engine;
using Post.Quic.Security;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>Post over the embedded QUIC engine, which runs wherever .NET runs and needs nothing native.</summary>
public sealed class ManagedTransport : PostTransport
{
    private readonly ILoggerFactory _loggerFactory;
    private readonly TimeProvider _time;

    /// <summary>Creates the transport.</summary>
    /// <param name="loggerFactory">Where it logs; null: nowhere.</param>
    /// <param name="timeProvider">The clock; null: the system's.</param>
    public ManagedTransport(ILoggerFactory? loggerFactory = null, TimeProvider? timeProvider = null)
    {
        _loggerFactory = loggerFactory ?? NullLoggerFactory.Instance;
        _time = timeProvider ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public override string Name => "managed";

    /// <inheritdoc/>
    public override TransportCapabilities Capabilities => AllCapabilities;

    /// <inheritdoc/>
    public override TimeProvider TimeProvider => _time;

    internal static TransportCapabilities AllCapabilities =>
        TransportCapabilities.Datagrams
        | TransportCapabilities.Priorities
        | TransportCapabilities.Paths
        | TransportCapabilities.Migration
        | TransportCapabilities.Resumption
        | TransportCapabilities.ReliableReset
        | TransportCapabilities.WritesCompleteWhenSent
        | TransportCapabilities.Statistics;

    /// <inheritdoc/>
    public override async ValueTask<TransportConnection> ConnectAsync(
        TransportConnectRequest request,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var verifier = PeerVerifier.OfServer(request.Remote);
        return await RemoteAddresses.ConnectToAnyAsync(
            request.Remote,
            remote => ConnectAsync(request, remote, verifier, cancellationToken),
            ManagedQuicErrors.Translate).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async ValueTask<TransportListener> ListenAsync(
        TransportListenRequest request,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var verifier = PeerVerifier.OfClients(request.ClientTrust);
        var served = new ConditionalWeakTable<QuicConnection, ManagedEvents>();
        QuicServerConnectionOptions options = WithLimits(
            new QuicServerConnectionOptions { ServerAuthenticationOptions = TlsOptions.ForServer(request, verifier) },
            request.Limits,
            request.HandshakeTimeout,
            request.IdleTimeout,
            request.KeepAliveInterval);
        return await MergedListener.OpenAsync(
            request,
            async endPoint => Source(
                await QuicListener.ListenAsync(
                    new QuicListenerOptions
                    {
                        ListenEndPoint = endPoint,
                        ListenBacklog = request.Backlog,
                        TimeProvider = _time,
                        LoggerFactory = _loggerFactory,
                        ConnectionOptionsCallback = (connection, _, _) =>
                        {
                            var events = new ManagedEvents(isClient: false, keepTicket: null);
                            served.Add(connection, events);
                            return ValueTask.FromResult(options with { Events = events });
                        },
                    },
                    cancellationToken).ConfigureAwait(false),
                verifier,
                served),
            ManagedQuicErrors.Translate,
            _loggerFactory.CreateLogger<ManagedTransport>()).ConfigureAwait(false);
    }

    private static ListenerSource Source(
        QuicListener listener, PeerVerifier verifier, ConditionalWeakTable<QuicConnection, ManagedEvents> served) => new(
        listener.LocalEndPoint,
        async cancellationToken =>
        {
            QuicConnection connection = await listener.AcceptConnectionAsync(cancellationToken).ConfigureAwait(false);
            served.TryGetValue(connection, out ManagedEvents? events);
            PeerIdentity peer = verifier.Identify(connection.RemoteCertificate, connectedName: null);
            return new ManagedConnection(connection, events!, peer);
        },
        listener.DisposeAsync);

    private static T WithLimits<T>(
        T options, TransportLimits limits, TimeSpan handshakeTimeout, TimeSpan idleTimeout, TimeSpan? keepAlive)
        where T : QuicConnectionOptions => (T)(options with
        {
            MaxInboundUnidirectionalStreams = limits.MaxInboundUnidirectionalStreams,
            MaxInboundBidirectionalStreams = limits.MaxInboundBidirectionalStreams,
            InitialStreamReceiveWindow = Math.Min(limits.StreamReceiveWindow, 256 << 10),
            InitialConnectionReceiveWindow = Math.Min(limits.ConnectionReceiveWindow, 1 << 20),
            MaxStreamReceiveWindow = limits.StreamReceiveWindow,
            MaxConnectionReceiveWindow = limits.ConnectionReceiveWindow,
            HandshakeTimeout = handshakeTimeout,
            IdleTimeout = idleTimeout,
            KeepAliveInterval = keepAlive ?? Timeout.InfiniteTimeSpan,
        });

    private async ValueTask<TransportConnection> ConnectAsync(
        TransportConnectRequest request, EndPoint remote, PeerVerifier verifier, CancellationToken cancellationToken)
    {
        string? sessionKey = SessionKeys.Of("managed", request);
        ISessionCache? sessions = sessionKey is null ? null : request.Local.Sessions;
        var events = new ManagedEvents(
            isClient: true,
            sessions is null ? null : ticket => sessions.Put(sessionKey!, ticket.ToArray(), ticket.ExpiresAt));
        QuicClientConnectionOptions options = WithLimits(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = remote,
                LocalEndPoint = LocalAddresses.ForConnecting(request.Local, (remote as IPEndPoint)?.AddressFamily),
                ClientAuthenticationOptions = TlsOptions.ForClient(request, verifier),
                SessionTicket = TakeTicket(sessions, sessionKey!),
                Events = events,
                TimeProvider = _time,
                LoggerFactory = _loggerFactory,
            },
            request.Limits,
            request.HandshakeTimeout,
            request.IdleTimeout,
            request.KeepAliveInterval);
        QuicConnection connection = await QuicConnection.ConnectAsync(options, cancellationToken).ConfigureAwait(false);
        PeerIdentity peer = verifier.Identify(connection.RemoteCertificate, TlsOptions.NameOf(request));
        return new ManagedConnection(connection, events, peer);
    }

    private static QuicSessionTicket? TakeTicket(ISessionCache? sessions, string key) =>
        sessions is not null
        && sessions.TryTake(key, out ReadOnlyMemory<byte> stored)
        && QuicSessionTicket.TryParse(stored.Span, out QuicSessionTicket? ticket)
            ? ticket
            : null;
}
