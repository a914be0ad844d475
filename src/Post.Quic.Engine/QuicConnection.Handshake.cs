using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine;

/// <content>How connections begin, on both sides.</content>
public sealed partial class QuicConnection
{
#pragma warning disable CA5398 // QUIC is bound to TLS 1.3 and nothing else (RFC 9001 section 4.2).
    private const SslProtocols TlsOfQuic = SslProtocols.Tls13;
#pragma warning restore CA5398

    /// <summary>RFC 9000 section 7.2 asks for 8 bytes at least, unpredictable ones.</summary>
    private const int FirstDestinationLength = 8;

    /// <summary>Begins to serve a client; null where another connection has the id that it chose.</summary>
    internal static QuicConnection? TryAccept(
        EndpointHost host, QuicListener listener, in ServerArrival arrival, in DatagramMetadata metadata, long now)
    {
        var connection = new QuicConnection(host, listener, arrival.OriginalDestinationConnectionId, options: null)
        {
            RemoteEndPoint = metadata.Remote.ToEndPoint(),
            LocalEndPoint = metadata.Local.ToEndPoint(),
        };
        if (!connection._ids.TryRouteChosen(arrival.DestinationConnectionId))
        {
            return null;
        }

        host.Retain();
        var setup = new ConnectionSetup
        {
            Settings = ConnectionSettings.BeforeOptions,
            Events = connection,
            ConnectionIds = connection._ids,
            Random = host.Random,
            Crypto = host.Crypto,
            CreateTls = tls => new TlsServer(tls, host.Random, host.TlsClock),
            Local = metadata.Local,
            Remote = metadata.Remote,
            PreferredIPv4 = listener.PreferredIPv4,
            PreferredIPv6 = listener.PreferredIPv6,
            Trace = connection.OpenTrace(listener.Options.Trace, metadata.Local, metadata.Remote),
        };
        try
        {
            lock (connection.Driver.Gate)
            {
                connection.Driver.Core = ConnectionCore.CreateServer(setup, arrival, now);
            }
        }
        catch (Exception)
        {
            connection._ids.Clear();
            host.Release();
            throw;
        }

        return connection;
    }

    private static async ValueTask<QuicConnection> ConnectToAsync(
        QuicClientConnectionOptions options, ConnectionSettings settings, IPEndPoint remote, CancellationToken cancellationToken)
    {
        ClientAddresses.Check(remote, options.LocalEndPoint ?? options.Endpoint?.LocalEndPoint);
        TlsClientOptions tls = TlsClientOptions.From(
            options.ClientAuthenticationOptions,
            options.PinnedPublicKeys,
            options.KeyExchangeGroups,
            sessionTicket: options.SessionTicket?.Tls,
            enableEarlyData: options.EnableEarlyData,
            keyLog: options.KeyLog,
            targetHost: options.ClientAuthenticationOptions.TargetHost ?? ClientAddresses.HostOf(options.RemoteEndPoint),
            crypto: options.Endpoint?.Host.Crypto,
            keys: options.ToKeyRules());
        EndpointHost host = options.Endpoint?.Host ?? OpenHost(options, remote);
        QuicConnection connection = Begin(options, settings, tls, host, NetworkAddress.FromEndPoint(remote));
        connection.Driver.WakeHere();

        bool isEarly;
        lock (connection.Driver.Gate)
        {
            isEarly = connection._closeInfo is null && connection.Driver.Core.CanSendEarlyData;
            if (isEarly)
            {
                connection.TakePeer(connection.Driver.Core.Peer);
            }
        }

        if (!isEarly)
        {
            await connection.CompleteHandshakeAsync(cancellationToken).ConfigureAwait(false);
        }

        return connection;
    }

    private static EndpointHost OpenHost(QuicClientConnectionOptions options, IPEndPoint remote)
    {
        bool isIPv6 = remote.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        return new EndpointHost(new QuicEndpointOptions
        {
            LocalEndPoint = options.LocalEndPoint ?? new IPEndPoint(isIPv6 ? IPAddress.IPv6Any : IPAddress.Any, 0),
            Use = EndpointUse.Connecting,
            TimeProvider = options.TimeProvider,
            LoggerFactory = options.LoggerFactory,
            MeterFactory = options.MeterFactory,
        });
    }

    private static QuicConnection Begin(
        QuicClientConnectionOptions options, ConnectionSettings settings, TlsClientOptions tls, EndpointHost host, NetworkAddress remote)
    {
        Span<byte> first = stackalloc byte[FirstDestinationLength];
        host.Random.Fill(first);
        var connection = new QuicConnection(host, listener: null, new ConnectionId(first), options)
        {
            RemoteEndPoint = remote.ToEndPoint(),
            LocalEndPoint = host.LocalAddress.ToEndPoint(),
            TargetHostName = tls.TargetHost,
        };
        host.Retain();
        if (options.Endpoint is null)
        {
            connection._sockets.Adopt(host.LocalAddress);
        }

        var setup = new ConnectionSetup
        {
            Settings = settings,
            Events = connection,
            ConnectionIds = connection._ids,
            Random = host.Random,
            Crypto = host.Crypto,
            CreateTls = tlsHost => new TlsClient(tlsHost, tls, host.Random, host.TlsClock),
            Local = host.LocalAddress,
            Remote = remote,
            FirstDestination = connection._firstId,
            Trace = connection.OpenTrace(options.Trace, host.LocalAddress, remote),
            Token = options.SessionTicket?.AddressToken ?? default,
            RememberedParameters = tls.EnableEarlyData ? options.SessionTicket?.Tls.TransportParameters ?? default : default,
        };
        lock (connection.Driver.Gate)
        {
            connection.Driver.Core = ConnectionCore.CreateClient(setup, host.Clock.Now);
        }

        if (options.Endpoint is null)
        {
            host.DisposeWhenUnused();
        }

        return connection;
    }

    private async ValueTask CompleteHandshakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _handshake.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (_awaitsVerdict)
            {
                // A client is done before the server has looked at its certificate. Only with the confirmation is it known that it was
                // accepted, and so only then is there a connection: else a refusal would come now from here and now from the first read.
                await _confirmed.Task.WaitAsync(_options!.HandshakeTimeout, _host.Clock.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
        catch (TimeoutException)
        {
            await DisposeAsync().ConfigureAwait(false);
            throw new QuicException(
                QuicError.ConnectionTimeout, null, null, "The server asked for a certificate, and did not say in time whether it accepts ours.");
        }
    }

    // The callback is the application's and may take its time: not under the gate, not on the receiving thread.
    private async Task ChooseOptionsAsync(ClientHelloInfo hello)
    {
        try
        {
            QuicServerConnectionOptions options = await _listener!.Options.ConnectionOptionsCallback(
                this, new SslClientHelloInfo(hello.ServerName, TlsOfQuic), _listener.Stopping).ConfigureAwait(false);
            ArgumentNullException.ThrowIfNull(options);
            ConnectionSettings settings = options.ToSettings() with { DisableActiveMigration = options.ForbidMigration };
            TlsServerOptions tls = TlsServerOptions.From(
                options.ServerAuthenticationOptions,
                pinnedPublicKeys: options.PinnedPublicKeys,
                groups: options.KeyExchangeGroups,
                ticketKeys: _host.TicketKeys,
                enableEarlyData: options.EnableEarlyData,
                earlyDataContext: ParameterFactory.EarlyDataContext(settings),
                antiReplay: _host.AntiReplay,
                keyLog: options.KeyLog,
                crypto: _host.Crypto,
                keys: options.ToKeyRules());
            lock (Driver.Gate)
            {
                _options = options;
                if (_closeInfo is null)
                {
                    Driver.Core.ProvideServerOptions(tls, Driver.Now, settings);
                }
            }
        }
        catch (Exception exception)
        {
            // Whatever the application's callback throws turns this client away, and no other.
            EngineLog.CallbackFailed(_host.Logger, exception, _firstId, nameof(QuicListenerOptions.ConnectionOptionsCallback));
            Refuse("refused by the server's options");
        }

        Driver.Wake();
    }

    private void Judge(CertificateValidationRequest request)
    {
        CertificateValidationResult result;
        try
        {
            result = request.Validate();
        }
        catch (Exception exception)
        {
            // The application's callback is no proof of anything when it fails.
            EngineLog.CallbackFailed(_host.Logger, exception, _firstId, "RemoteCertificateValidationCallback");
            result = CertificateValidationResult.Refuse(
                TlsAlert.InternalError,
                "The certificate could not be judged.",
                detail: $"The judgement of the peer's certificate failed on this side: {exception.GetType().Name}: {exception.Message}",
                failure: exception);
        }

        try
        {
            lock (Driver.Gate)
            {
                if (_closeInfo is null)
                {
                    Driver.Core.CompleteCertificateValidation(result, Driver.Now);
                }
            }
        }
        catch (Exception exception)
        {
            OnFault(exception);
        }

        Driver.Wake();
    }

    private void Refuse(string reason)
    {
        try
        {
            lock (Driver.Gate)
            {
                if (_closeInfo is null)
                {
                    Driver.Core.Refuse(reason, Driver.Now);
                }
            }
        }
        catch (Exception exception)
        {
            OnFault(exception);
        }
    }

    private QlogTrace? OpenTrace(QuicTraceOptions? options, in NetworkAddress local, in NetworkAddress remote) =>
        _trace = options is null
            ? null
            : QlogTrace.TryOpen(options, new QlogConnection(!IsClient, _firstId, local, remote), TimeProvider, _host.Logger);
}
