using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Post.Quic.Engine;
using Post.Quic.Security;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>One attempt to reach a remote, with the session that the Local keeps of it, if any.</summary>
internal sealed class ConnectAttempt
{
    private readonly TransportConnectRequest _request;
    private readonly TransportScope _scope;
    private readonly IReadOnlyList<QuicKeyExchangeGroup>? _groups;
    private readonly bool _followsPreferredAddress;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggerFactory;
    private readonly IMeterFactory? _meterFactory;
    private readonly PeerVerifier _verifier;
    private readonly SessionStore? _sessions;
    private QuicSessionTicket? _ticket;

    public ConnectAttempt(
        TransportConnectRequest request,
        TransportScope scope,
        IReadOnlyList<QuicKeyExchangeGroup>? groups,
        bool followsPreferredAddress,
        TimeProvider time,
        ILoggerFactory loggerFactory,
        IMeterFactory? meterFactory)
    {
        _meterFactory = meterFactory;
        _request = request;
        _scope = scope;
        _groups = groups;
        _followsPreferredAddress = followsPreferredAddress;
        _time = time;
        _loggerFactory = loggerFactory;
        _verifier = PeerVerifier.OfServer(request.Remote);
        _sessions = SessionStore.Of("managed", request, loggerFactory.CreateLogger<ManagedTransport>());
        _ticket = _sessions?.TakeTicket();
    }

    /// <summary>
    /// A connection that can send before its handshake is complete; null where that is not asked for, where no session allows it,
    /// or where it does not come about.
    /// </summary>
    public async ValueTask<TransportConnection?> TryConnectEarlyAsync(CancellationToken cancellationToken)
    {
        // It cannot go on to the next address when this one does not answer: it goes where the server was last.
        if (!_request.Options.AllowEarlyData
            || _ticket is not { AllowsEarlyData: true, RemoteEndPoint: var last }
            || !await IsAtAsync(last, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        try
        {
            return await ConnectAsync(last, isEarly: true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is QuicException or SocketException)
        {
            return null;
        }
    }

    /// <summary>A connection whose handshake is complete.</summary>
    public ValueTask<TransportConnection> ConnectAsync(IPEndPoint remote, CancellationToken cancellationToken) =>
        ConnectAsync(remote, isEarly: false, cancellationToken);

    private async ValueTask<TransportConnection> ConnectAsync(IPEndPoint remote, bool isEarly, CancellationToken cancellationToken)
    {
        // A session is used once, so that observers cannot link connections: each address has its own.
        QuicSessionTicket? ticket = _ticket ?? _sessions?.TakeTicket();
        _ticket = null;
        var events = new ManagedEvents(isClient: true, _sessions, isEarly);
        QuicClientConnectionOptions options = ManagedOptions.WithLimits(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = remote,
                LocalEndPoint = LocalAddresses.ForConnecting(_request.Local, remote.AddressFamily),
                ClientAuthenticationOptions = ManagedOptions.Unpinned(TlsOptions.ForClient(_request, _verifier), _request.Remote.Trust),
                SessionTicket = ticket,
                EnableEarlyData = isEarly,
                KeyExchangeGroups = _groups,
                FollowPreferredAddress = _followsPreferredAddress,
                Events = events,
                TimeProvider = _time,
                LoggerFactory = _loggerFactory,
                MeterFactory = _meterFactory,
            },
            _request.Options);
        QuicConnection connection = await QuicConnection.ConnectAsync(
            ManagedOptions.WithKeys(options, _request.Local, _request.Remote.Trust), cancellationToken).ConfigureAwait(false);
        await _scope.HoldAsync(connection, connection.Closed).ConfigureAwait(false);
        return new ManagedConnection(connection, events, _verifier, TlsOptions.NameOf(_request));
    }

    /// <summary>Whether the remote is still to be looked for at an address.</summary>
    private async ValueTask<bool> IsAtAsync(IPEndPoint last, CancellationToken cancellationToken)
    {
        Remote remote = _request.Remote;
        if (last.Port != remote.Port)
        {
            return false;
        }

        if (remote.Addresses.Count > 0)
        {
            return remote.Addresses.Contains(last.Address);
        }

        try
        {
            return IPAddress.TryParse(remote.Host, out IPAddress? literal)
                ? literal.Equals(last.Address)
                : (await Dns.GetHostAddressesAsync(remote.Host, cancellationToken).ConfigureAwait(false)).Contains(last.Address);
        }
        catch (SocketException)
        {
            // The attempt without early data says what is wrong with the name.
            return false;
        }
    }
}
