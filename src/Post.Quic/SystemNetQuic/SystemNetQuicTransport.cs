using System.Net;
using System.Net.Quic;
using System.Net.Security;
using System.Net.Sockets;
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
        string name = request.Remote.Trust.Name ?? request.Remote.Host;
        Exception? failure = null;
        foreach (EndPoint remote in RemoteEndPoints(request.Remote))
        {
            try
            {
                QuicConnection connection = await QuicConnection
                    .ConnectAsync(ClientOptions(request, remote, name, verifier), cancellationToken)
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
        if (request.Local.Certificate is not { HasPrivateKey: true })
        {
            throw new ArgumentException(
                "A listener proves its identity: give the Local a certificate with its private key (Identity.CreateSelfSigned makes one).",
                nameof(request));
        }

        var verifier = PeerVerifier.OfClients(request.ClientTrust);
        QuicServerConnectionOptions connectionOptions = ServerOptions(request, verifier);
        var listeners = new List<QuicListener>();
        try
        {
            foreach (IPEndPoint endPoint in ListenEndPoints(request.Local))
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

        return new SystemNetQuicListener(
            listeners,
            request.Backlog,
            connection => new SystemNetQuicConnection(
                connection, isClient: false, verifier.Identify(connection.RemoteCertificate, connectedName: null), _time),
            _logger);
    }

    private static QuicClientConnectionOptions ClientOptions(
        TransportConnectRequest request,
        EndPoint remote,
        string name,
        PeerVerifier verifier)
    {
        var authentication = new SslClientAuthenticationOptions
        {
            ApplicationProtocols = [new SslApplicationProtocol(request.Protocol)],
            TargetHost = name,
            RemoteCertificateValidationCallback = verifier.Verify,
        };
        if (request.Local.Certificate is { } certificate)
        {
            authentication.ClientCertificateContext =
                SslStreamCertificateContext.Create(certificate, request.Local.IntermediateCertificates, offline: true);
        }

        var options = new QuicClientConnectionOptions
        {
            RemoteEndPoint = remote,
            LocalEndPoint = LocalAddresses.ForConnecting(request.Local, (remote as IPEndPoint)?.AddressFamily),
            ClientAuthenticationOptions = authentication,
        };
        Apply(options, request.Limits, request.HandshakeTimeout, request.IdleTimeout, request.KeepAliveInterval);
        return options;
    }

    private static QuicServerConnectionOptions ServerOptions(TransportListenRequest request, PeerVerifier verifier)
    {
        var options = new QuicServerConnectionOptions
        {
            ServerAuthenticationOptions = new SslServerAuthenticationOptions
            {
                ApplicationProtocols = [new SslApplicationProtocol(request.Protocol)],
                ServerCertificateContext = SslStreamCertificateContext.Create(
                    request.Local.Certificate!, request.Local.IntermediateCertificates, offline: true),
                ClientCertificateRequired = request.ClientTrust is not null,
                RemoteCertificateValidationCallback = verifier.Verify,
            },
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

    private static IEnumerable<EndPoint> RemoteEndPoints(Remote remote)
    {
        if (remote.Addresses.Count > 0)
        {
            return remote.Addresses.Select(EndPoint (address) => new IPEndPoint(address, remote.Port));
        }

        return [IPAddress.TryParse(remote.Host, out IPAddress? literal) ? new IPEndPoint(literal, remote.Port) : new DnsEndPoint(remote.Host, remote.Port)];
    }

    private static IEnumerable<IPEndPoint> ListenEndPoints(Local local)
    {
        if (local.EndPoints.Count == 0 && local.Interfaces.Count == 0)
        {
            return [new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, 0)];
        }

        return LocalAddresses.ForListening(local);
    }
}
