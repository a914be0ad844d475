using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Quic.Engine;
using Post.Quic.Interfaces;
using Post.Quic.Security;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>Post over the embedded QUIC engine, which runs wherever .NET runs and needs nothing native.</summary>
public sealed partial class ManagedTransport : PostTransport
{
    private const int MinRestartSecret = 32;

    private readonly ReadOnlyMemory<byte> _restartSecret;
    private readonly ILoggerFactory _loggerFactory;
    private readonly ILogger _logger;
    private readonly IReadOnlyList<QuicKeyExchangeGroup>? _groups;
    private readonly ManagedTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly IMeterFactory? _meterFactory;
    private readonly TransportScope _scope = new("managed");

    /// <summary>Creates the transport.</summary>
    /// <param name="options">How it speaks QUIC; null: the defaults.</param>
    /// <param name="loggerFactory">Where it logs; null: nowhere.</param>
    /// <param name="timeProvider">The clock; null or the system's clock: <see cref="Engine.Time.BootTimeProvider"/>, which continues while the machine sleeps.</param>
    /// <param name="meterFactory">
    /// Whose the instruments of the meter <c>Post.Quic.Engine</c> are (docs/operating.md lists them); null: the process's.
    /// </param>
    /// <exception cref="ArgumentException">
    /// This platform has none of the key exchange groups that the options name, or their secret is too short.
    /// </exception>
    public ManagedTransport(
        ManagedTransportOptions? options = null,
        ILoggerFactory? loggerFactory = null,
        TimeProvider? timeProvider = null,
        IMeterFactory? meterFactory = null)
    {
        _meterFactory = meterFactory;
        _loggerFactory = loggerFactory ?? NullLoggerFactory.Instance;
        _logger = _loggerFactory.CreateLogger<ManagedTransport>();
        _time = TransportClock.Of(timeProvider);
        _options = options ?? new ManagedTransportOptions();
        _restartSecret = _options.RestartSecret;
        if (_restartSecret.Length is > 0 and < MinRestartSecret)
        {
            throw new ArgumentException(
                $"RestartSecret has {_restartSecret.Length} bytes; give at least {MinRestartSecret} random ones, or none.", nameof(options));
        }

        if (options?.KeyExchangeGroups is { Count: > 0 } groups)
        {
            _groups = groups;
            if (KeyExchangeGroups.FindObstacle(groups) is { } obstacle)
            {
                throw new ArgumentException(obstacle, nameof(options));
            }

            if (KeyExchangeGroups.Missing(groups) is { Count: > 0 } missing)
            {
                LogMissingGroups(string.Join(", ", missing));
            }
        }
    }

    /// <inheritdoc/>
    public override string Name => "managed";

    /// <inheritdoc/>
    public override TransportCapabilities Capabilities => AllCapabilities;

    /// <inheritdoc/>
    public override TimeProvider TimeProvider => _time;

    /// <inheritdoc/>
    public override InterfaceWatcher? Interfaces => _options.Interfaces ?? SystemInterfaces.Shared;

    internal static TransportCapabilities AllCapabilities =>
        TransportCapabilities.Datagrams
        | TransportCapabilities.Priorities
        | TransportCapabilities.Paths
        | TransportCapabilities.Migration
        | TransportCapabilities.Multipath
        | TransportCapabilities.Resumption
        | TransportCapabilities.EarlyData
        | TransportCapabilities.ReliableReset
        | TransportCapabilities.WritesCompleteWhenSent
        | TransportCapabilities.Statistics
        | TransportCapabilities.WholeStreams;

    /// <inheritdoc/>
    public override async ValueTask<TransportConnection> ConnectAsync(
        TransportConnectRequest request,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        _scope.ThrowIfDisposed();
        var attempt = new ConnectAttempt(request, _scope, _groups, _options.FollowPreferredAddress, _time, _loggerFactory, _meterFactory);
        return await attempt.TryConnectEarlyAsync(cancellationToken).ConfigureAwait(false)
            ?? await RemoteAddresses.ConnectToAnyAsync(
                request.Remote,
                remote => attempt.ConnectAsync(remote, cancellationToken),
                ManagedQuicErrors.Translate,
                cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async ValueTask<TransportListener> ListenAsync(
        TransportListenRequest request,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        _scope.ThrowIfDisposed();
        var verifier = PeerVerifier.OfClients(request.ClientTrust);
        var served = new ConditionalWeakTable<QuicConnection, ManagedEvents>();
        QuicServerConnectionOptions options = ManagedOptions.WithLimits(
            new QuicServerConnectionOptions
            {
                ServerAuthenticationOptions = AuthenticationOf(request, verifier),
                EnableEarlyData = request.Options.AllowEarlyData,
                KeyExchangeGroups = _groups,
            },
            request.Options);
        options = ManagedOptions.WithKeys(options, request.Local, request.ClientTrust);
        MergedListener listener = await MergedListener.OpenAsync(
            request,
            async address => Source(
                await QuicListener.ListenAsync(
                    new QuicListenerOptions
                    {
                        ListenEndPoint = address.EndPoint,
                        DualMode = address.DualMode,
                        PreferredEndPoints = [.. _options.PreferredEndPoints.Where(preferred =>
                            preferred.AddressFamily == address.EndPoint.AddressFamily || (address.DualMode && address.EndPoint.Address.Equals(IPAddress.IPv6Any)))],
                        StatelessResetKey = ResetKey.Of(_restartSecret.Span, request.Local, address.EndPoint),
                        ListenBacklog = request.Backlog,
                        TimeProvider = _time,
                        LoggerFactory = _loggerFactory,
                        MeterFactory = _meterFactory,
                        ConnectionOptionsCallback = (connection, _, _) =>
                        {
                            var events = new ManagedEvents(isClient: false);
                            served.Add(connection, events);
                            return ValueTask.FromResult(
                                options with { Events = events, ServerAuthenticationOptions = AuthenticationOf(request, verifier) });
                        },
                    },
                    cancellationToken).ConfigureAwait(false),
                verifier,
                served),
            ManagedQuicErrors.Translate,
            _logger,
            canLeaveIPv4: true).ConfigureAwait(false);
        return await _scope.HoldAsync(listener, listener.Ended).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _scope.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>With the identity of this moment, which may have been renewed since the last.</summary>
    private static SslServerAuthenticationOptions AuthenticationOf(TransportListenRequest request, PeerVerifier verifier) =>
        ManagedOptions.Unpinned(
            TlsOptions.ForServer(
                request, verifier, request.Local is { Certificate: null, BareKey: not null } ? null : TlsOptions.IdentityOf(request.Local)),
            request.ClientTrust);

    private ListenerSource Source(
        QuicListener listener, PeerVerifier verifier, ConditionalWeakTable<QuicConnection, ManagedEvents> served) => new(
        listener.LocalEndPoint,
        async cancellationToken =>
        {
            QuicConnection connection = await listener.AcceptConnectionAsync(cancellationToken).ConfigureAwait(false);
            await _scope.HoldAsync(connection, connection.Closed).ConfigureAwait(false);
            served.TryGetValue(connection, out ManagedEvents? events);
            return new ManagedConnection(connection, events!, verifier, connectedName: null);
        },
        listener.DisposeAsync);

    [LoggerMessage(2, LogLevel.Warning, "This platform lacks {Groups} of the key exchange groups; the others serve")]
    private partial void LogMissingGroups(string groups);
}
