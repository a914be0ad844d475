using System.Net;
using System.Net.Quic;
using System.Net.Security;
using System.Runtime.Versioning;
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
public sealed class SystemNetQuicTransport : PostTransport
{
    private readonly ILogger _logger;
    private readonly TimeProvider _time;

    /// <summary>Creates the transport.</summary>
    /// <param name="options">How to find the native library; null: as the system does.</param>
    /// <param name="loggerFactory">Where it logs; null: nowhere.</param>
    /// <param name="timeProvider">The clock; null: the system's.</param>
    /// <exception cref="PlatformNotSupportedException">
    /// System.Net.Quic does not work here; the message names the remedy for the platform at hand.
    /// </exception>
    public SystemNetQuicTransport(
        SystemNetQuicOptions? options = null,
        ILoggerFactory? loggerFactory = null,
        TimeProvider? timeProvider = null)
    {
        if (!MsQuicLibrary.IsAvailable(options?.MsQuicLibraryPath, out string? remedy))
        {
            throw new PlatformNotSupportedException(remedy);
        }

        _logger = (loggerFactory ?? NullLoggerFactory.Instance).CreateLogger<SystemNetQuicTransport>();
        _time = timeProvider ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public override string Name => "system-net-quic";

    /// <inheritdoc/>
    public override TransportCapabilities Capabilities => TransportCapabilities.None;

    /// <inheritdoc/>
    public override TimeProvider TimeProvider => _time;

    /// <inheritdoc/>
    public override async ValueTask<TransportConnection> ConnectAsync(
        TransportConnectRequest request,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var verifier = PeerVerifier.OfServer(request.Remote);
        string name = TlsOptions.NameOf(request);
        Exception? failure = null;
        foreach (EndPoint remote in RemoteAddresses.Of(request.Remote))
        {
            try
            {
                QuicConnection connection = await QuicConnection
                    .ConnectAsync(ClientOptions(request, remote, verifier), cancellationToken)
                    .ConfigureAwait(false);
                return new SystemNetQuicConnection(connection, isClient: true, verifier.Identify(connection.RemoteCertificate, name), _time);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // The next address may answer; the failure of the last one is what the caller hears of.
                failure = exception;
            }
        }

        throw QuicErrors.Translate(failure!);
    }

    /// <inheritdoc/>
    public override async ValueTask<TransportListener> ListenAsync(
        TransportListenRequest request,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var verifier = PeerVerifier.OfClients(request.ClientTrust);
        QuicServerConnectionOptions connectionOptions = ServerOptions(request, verifier);
        var listeners = new List<QuicListener>();
        try
        {
            foreach (IPEndPoint endPoint in LocalAddresses.ForListening(request.Local))
            {
                listeners.Add(await QuicListener.ListenAsync(
                    new QuicListenerOptions
                    {
                        ListenEndPoint = endPoint,
                        ApplicationProtocols = [new SslApplicationProtocol(request.Protocol)],
                        ListenBacklog = request.Backlog,
                        ConnectionOptionsCallback = (_, _, _) => ValueTask.FromResult(connectionOptions),
                    },
                    cancellationToken).ConfigureAwait(false));
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            foreach (QuicListener listener in listeners)
            {
                await listener.DisposeAsync().ConfigureAwait(false);
            }

            throw QuicErrors.Translate(exception);
        }

        return new MergedListener([.. listeners.Select(listener => Source(listener, verifier))], request.Backlog, _logger);
    }

    private static QuicClientConnectionOptions ClientOptions(
        TransportConnectRequest request,
        EndPoint remote,
        PeerVerifier verifier)
    {
        var options = new QuicClientConnectionOptions
        {
            RemoteEndPoint = remote,
            LocalEndPoint = LocalAddresses.ForConnecting(request.Local, (remote as IPEndPoint)?.AddressFamily),
            ClientAuthenticationOptions = TlsOptions.ForClient(request, verifier),
        };
        Apply(options, request.Limits, request.HandshakeTimeout, request.IdleTimeout, request.KeepAliveInterval);
        return options;
    }

    private static QuicServerConnectionOptions ServerOptions(TransportListenRequest request, PeerVerifier verifier)
    {
        var options = new QuicServerConnectionOptions
        {
            ServerAuthenticationOptions = TlsOptions.ForServer(request, verifier),
        };
        Apply(options, request.Limits, request.HandshakeTimeout, request.IdleTimeout, request.KeepAliveInterval);
        return options;
    }

    private static void Apply(
        QuicConnectionOptions options,
        TransportLimits limits,
        TimeSpan handshakeTimeout,
        TimeSpan idleTimeout,
        TimeSpan? keepAlive)
    {
        options.DefaultCloseErrorCode = 0;
        options.DefaultStreamErrorCode = 0;
        options.MaxInboundUnidirectionalStreams = limits.MaxInboundUnidirectionalStreams;
        options.MaxInboundBidirectionalStreams = limits.MaxInboundBidirectionalStreams;
        options.HandshakeTimeout = handshakeTimeout;
        options.IdleTimeout = idleTimeout;
        options.KeepAliveInterval = keepAlive ?? Timeout.InfiniteTimeSpan;

        // msquic wants powers of two for the windows of streams.
        int stream = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)limits.StreamReceiveWindow);
        options.InitialReceiveWindowSizes = new QuicReceiveWindowSizes
        {
            Connection = limits.ConnectionReceiveWindow,
            LocallyInitiatedBidirectionalStream = stream,
            RemotelyInitiatedBidirectionalStream = stream,
            UnidirectionalStream = stream,
        };
    }

    private ListenerSource Source(QuicListener listener, PeerVerifier verifier) => new(
        listener.LocalEndPoint,
        async cancellationToken =>
        {
            QuicConnection connection = await listener.AcceptConnectionAsync(cancellationToken).ConfigureAwait(false);
            PeerIdentity peer = verifier.Identify(connection.RemoteCertificate, connectedName: null);
            return new SystemNetQuicConnection(connection, isClient: false, peer, _time);
        },
        listener.DisposeAsync);
}
