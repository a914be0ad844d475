using System.Net;
using System.Net.Quic;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Quic.Security;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic;

/// <summary>
/// Post over the platform's QUIC: <c>System.Net.Quic</c>, which needs the native library msquic. It is part of Windows 11 and
/// Windows Server 2022, comes from Homebrew on macOS and from Microsoft's package feed on Linux.
/// </summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed partial class SystemNetQuicTransport : PostTransport
{
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly QuicExtras? _extras;
    private readonly TransportScope _scope = new("system-net-quic");

    /// <summary>Creates the transport.</summary>
    /// <param name="options">How to find the native library; null: as the system does.</param>
    /// <param name="loggerFactory">Where it logs; null: nowhere.</param>
    /// <param name="timeProvider">The clock; null or the system's clock: one that continues while the machine sleeps.</param>
    /// <exception cref="PlatformNotSupportedException">
    /// System.Net.Quic does not work here; the message names the remedy for the platform at hand.
    /// </exception>
    public SystemNetQuicTransport(
        SystemNetQuicTransportOptions? options = null,
        ILoggerFactory? loggerFactory = null,
        TimeProvider? timeProvider = null)
    {
        if (!MsQuicLibrary.IsAvailable(options?.MsQuicLibraryPath, out string? remedy))
        {
            throw new PlatformNotSupportedException(remedy);
        }

        _logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger<SystemNetQuicTransport>();
        _time = TransportClock.Of(timeProvider);
        if (options?.Extras is not { } extras)
        {
            LogPlain();
            return;
        }

        ExtrasOrObstacle found = extras();
        if (!found.AreThere)
        {
            LogNoExtras(found.Obstacle);
            return;
        }

        _extras = found.Extras;
        if (_extras.MigrationObstacle is { } missing)
        {
            LogNoMigration(missing);
        }

        if (!_extras.CanResume)
        {
            LogNoResumption();
        }
    }

    /// <inheritdoc/>
    public override string Name => "system-net-quic";

    /// <inheritdoc/>
    public override TransportCapabilities Capabilities =>
        _extras?.Capabilities ?? TransportCapabilities.None;

    /// <inheritdoc/>
    public override TimeProvider TimeProvider => _time;

    /// <inheritdoc/>
    public override async ValueTask<TransportConnection> ConnectAsync(
        TransportConnectRequest request,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        _scope.ThrowIfDisposed();
        ThrowIfImpossible(request.Options);
        ThrowIfBareKey(request.Local, request.Remote.Trust);
        var verifier = PeerVerifier.OfServer(request.Remote);
        return await RemoteAddresses.ConnectToAnyAsync(
            request.Remote,
            remote => ConnectAsync(request, remote, verifier, cancellationToken),
            exception => exception is AuthenticationException && verifier.Refusal is { } refusal
                ? new TransportException(
                    TransportErrorReason.AuthenticationFailed,
                    $"The peer's certificate was refused: {refusal.Reason}",
                    innerException: refusal.Failure ?? exception)
                : QuicErrors.Translate(exception),
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async ValueTask<TransportListener> ListenAsync(
        TransportListenRequest request,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        _scope.ThrowIfDisposed();
        ThrowIfImpossible(request.Options);
        ThrowIfBareKey(request.Local, request.ClientTrust);
        var verifier = PeerVerifier.OfClients(request.ClientTrust);
        _ = TlsOptions.IdentityOf(request.Local);
        var served = new ConditionalWeakTable<QuicConnection, QuicConnectionExtras>();
        MergedListener listener = await MergedListener.OpenAsync(
            request,
            async address => Source(
                await QuicListener.ListenAsync(
                    new QuicListenerOptions
                    {
                        ListenEndPoint = address.EndPoint,
                        ApplicationProtocols = [new SslApplicationProtocol(request.Protocol)],
                        ListenBacklog = request.Backlog,
                        ConnectionOptionsCallback = (connection, _, _) =>
                        {
                            // A resumed client shows no certificate, so where one is asked for, each handshake is a full one.
                            if (_extras?.Attach(connection, _time, _logger, givesTickets: request.ClientTrust is null) is { } extras)
                            {
                                served.Add(connection, extras);
                            }

                            return ValueTask.FromResult(ServerOptions(request, verifier, TlsOptions.IdentityOf(request.Local)));
                        },
                    },
                    cancellationToken).ConfigureAwait(false),
                verifier,
                served),
            QuicErrors.Translate,
            _logger,
            canLeaveIPv4: false).ConfigureAwait(false);
        return await _scope.HoldAsync(listener, listener.Ended).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _scope.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Refuses what System.Net.Quic has no option for, where leaving it out would not be noticed.</summary>
    internal static void ThrowIfImpossible(TransportOptions options)
    {
        if (options.CongestionControl is not (CongestionControl.Auto or CongestionControl.Cubic))
        {
            throw new TransportException(
                TransportErrorReason.NotSupported,
                $"CongestionControl is {options.CongestionControl}, but System.Net.Quic always uses CUBIC; set it to Auto or Cubic, or take the managed engine.");
        }
    }

    /// <summary>Refuses keys without certificates, which the platform's TLS neither shows nor takes.</summary>
    internal static void ThrowIfBareKey(Local local, PeerTrust? trust)
    {
        if (local is { BareKey: not null, Certificate: null })
        {
            throw new TransportException(
                TransportErrorReason.NotSupported,
                "The Local has a BareKey and no certificate, but System.Net.Quic shows certificates alone; give it a Certificate too, or take the managed engine.");
        }

        if (trust is { TakesCertificates: false })
        {
            throw new TransportException(
                TransportErrorReason.NotSupported,
                "The peer is to show a bare key, but System.Net.Quic takes certificates alone; pin the key of a certificate (PeerTrust.Pinned), or take the managed engine.");
        }
    }

    private static QuicClientConnectionOptions ClientOptions(
        TransportConnectRequest request,
        IPEndPoint remote,
        PeerVerifier verifier)
    {
        var options = new QuicClientConnectionOptions
        {
            RemoteEndPoint = remote,
            LocalEndPoint = LocalAddresses.ForConnecting(request.Local, remote.AddressFamily),
            ClientAuthenticationOptions = TlsOptions.ForClient(request, verifier),
        };
        Apply(options, request.Options);
        return options;
    }

    private static QuicServerConnectionOptions ServerOptions(
        TransportListenRequest request, PeerVerifier verifier, SslStreamCertificateContext identity)
    {
        var options = new QuicServerConnectionOptions
        {
            ServerAuthenticationOptions = TlsOptions.ForServer(request, verifier, identity),
        };
        Apply(options, request.Options);
        return options;
    }

    private static void Apply(QuicConnectionOptions options, TransportOptions asked)
    {
        options.DefaultCloseErrorCode = 0;
        options.DefaultStreamErrorCode = 0;
        options.MaxInboundUnidirectionalStreams = asked.MaxInboundUnidirectionalStreams;
        options.MaxInboundBidirectionalStreams = asked.MaxInboundBidirectionalStreams;
        options.HandshakeTimeout = asked.HandshakeTimeout;
        options.IdleTimeout = asked.IdleTimeout;
        options.KeepAliveInterval = asked.KeepAliveInterval ?? Timeout.InfiniteTimeSpan;

        // msquic wants powers of two for the windows of streams.
        int stream = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)asked.StreamReceiveWindow);
        options.InitialReceiveWindowSizes = new QuicReceiveWindowSizes
        {
            Connection = asked.ConnectionReceiveWindow,
            LocallyInitiatedBidirectionalStream = stream,
            RemotelyInitiatedBidirectionalStream = stream,
            UnidirectionalStream = stream,
        };
    }

    private async ValueTask<TransportConnection> ConnectAsync(
        TransportConnectRequest request, IPEndPoint remote, PeerVerifier verifier, CancellationToken cancellationToken)
    {
        QuicClientConnectionOptions options = ClientOptions(request, remote, verifier);
        string name = TlsOptions.NameOf(request);
        if (_extras is null)
        {
            QuicConnection plain = await QuicConnection.ConnectAsync(options, cancellationToken).ConfigureAwait(false);
            return await WrapAsync(
                plain,
                () => new SystemNetQuicConnection(plain, isClient: true, verifier.IdentifyProven(plain.RemoteCertificate, name), _time))
                .ConfigureAwait(false);
        }

        SessionStore? sessions = _extras.CanResume ? SessionStore.Of(Name, request, _logger) : null;
        StoredSession? session = null;
        if (sessions is not null && sessions.TryTake(out ReadOnlyMemory<byte> stored))
        {
            StoredSession.TryDecode(stored.Span, out session);
        }

        (QuicConnection connection, QuicConnectionExtras extras) = await _extras
            .ConnectAsync(options, session?.Ticket, _time, _logger, cancellationToken)
            .ConfigureAwait(false);
        return await WrapAsync(
            connection,
            () =>
            {
                PeerIdentity peer = verifier.IdentifyProven(
                    connection.RemoteCertificate, name, extras.IsResumed ? session?.Server : null);
                if (sessions is not null)
                {
                    extras.KeepTickets(ticket => sessions.Keep(
                        new StoredSession(ticket, peer).Encode(), _time.GetUtcNow() + StoredSession.Lifetime));
                }

                return new SystemNetQuicConnection(connection, isClient: true, peer, _time, extras);
            }).ConfigureAwait(false);
    }

    /// <summary>Puts a connection behind the seam. Where that fails it is closed here: msquic and the extras hold it, and no other code would close it.</summary>
    private async ValueTask<SystemNetQuicConnection> WrapAsync(QuicConnection connection, Func<SystemNetQuicConnection> wrap)
    {
        SystemNetQuicConnection wrapped;
        try
        {
            wrapped = wrap();
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return await _scope.HoldAsync(wrapped, wrapped.Ended).ConfigureAwait(false);
    }

    private ListenerSource Source(
        QuicListener listener, PeerVerifier verifier, ConditionalWeakTable<QuicConnection, QuicConnectionExtras> served) => new(
        listener.LocalEndPoint,
        async cancellationToken =>
        {
            QuicConnection connection = await listener.AcceptConnectionAsync(cancellationToken).ConfigureAwait(false);
            served.TryGetValue(connection, out QuicConnectionExtras? extras);
            return await WrapAsync(
                connection,
                () => new SystemNetQuicConnection(
                    connection,
                    isClient: false,
                    verifier.IdentifyProven(connection.RemoteCertificate, connectedName: null),
                    _time,
                    extras)).ConfigureAwait(false);
        },
        listener.DisposeAsync);

    [LoggerMessage(1, LogLevel.Warning, "msquic's extras are off ({Obstacle}): no datagrams, priorities, statistics, migration or resumption; objects travel as streams")]
    private partial void LogNoExtras(string obstacle);

    [LoggerMessage(2, LogLevel.Information, "System.Net.Quic alone has no datagrams, priorities, statistics, path events, migration or resumption; objects travel as streams. The package Post.Quic.MsQuic adds them, and the managed engine has them")]
    private partial void LogPlain();

    [LoggerMessage(3, LogLevel.Information, "Clients cannot be moved to another address ({Obstacle}); the managed engine can")]
    private partial void LogNoMigration(string obstacle);

    [LoggerMessage(4, LogLevel.Information, "Sessions are not resumed, since msquic uses Schannel here; the managed engine resumes them")]
    private partial void LogNoResumption();
}
