using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>One attempt of a client to connect: a round trip, or nearly none with a session of before.</summary>
internal sealed class InMemoryConnectAttempt : ClockEntry
{
    // What a handshake packet is waited for before it is sent again, at first (RFC 9002 section 6.2.2 has a second).
    private static readonly TimeSpan FirstProbe = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan SessionLifetime = TimeSpan.FromDays(1);

    private readonly InMemoryNetwork _network;
    private readonly InMemoryTransport _host;
    private readonly TransportConnectRequest _request;
    private readonly PendingOperation<TransportConnection> _wait;
    private readonly InMemoryTicket? _ticket;
    private readonly long _start;
    private long _probe = FirstProbe.Ticks / 2;
    private InMemoryWire? _early;
    private IPEndPoint? _from;
    private TransportException? _failure;

    public InMemoryConnectAttempt(InMemoryNetwork network, InMemoryTransport host, TransportConnectRequest request)
    {
        _network = network;
        _host = host;
        _request = request;
        _start = network.Clock.NowTicks;
        _wait = new PendingOperation<TransportConnection>(network.Clock);
        _ticket = TakeTicket();
    }

    private bool ComesThrough => _network.IsUp && Interface?.Carries(_from!.Address) != false;

    private InMemoryInterface? Interface => _host.FindInterface(_from!.Address);

    private string SessionKey => $"in-memory|{_request.Remote}|{_request.Protocol}";

    public ValueTask<TransportConnection> Start(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<TransportConnection>(cancellationToken);
        }

        lock (_network.Gate)
        {
            try
            {
                _from = _host.ClientEndPoint(_request.Local, _request.Local.EndPoints.Count > 0 ? _request.Local.EndPoints[0] as IPEndPoint : null);
            }
            catch (TransportException exception)
            {
                return ValueTask.FromException<TransportConnection>(exception);
            }

            long arrival = HandshakeTicks();
            long timeout = _request.Options.HandshakeTimeout.Ticks;
            if (arrival > timeout)
            {
                _failure = new TransportException(TransportErrorReason.TimedOut, $"{_request.Remote} did not answer in {_request.Options.HandshakeTimeout}.");
                arrival = timeout;
            }
            else if (TryStartEarly())
            {
                _network.Clock.Schedule(this, _start + arrival);
                return ValueTask.FromResult(_early!.Client);
            }

            _network.Clock.Schedule(this, _start + arrival);
            return _wait.Start(this, static (attempt, token) => ((InMemoryConnectAttempt)attempt!).Cancel(token), cancellationToken);
        }
    }

    public override void Fire()
    {
        if (!ComesThrough && _failure is null)
        {
            Repeat();
            return;
        }

        if (_early is not null)
        {
            lock (_network.Gate)
            {
                _early.ClientEnd.CompleteHandshake(_early.ServerEnd.DropsEarlyData);
            }

            KeepSession(_early);
            return;
        }

        try
        {
            if (_failure is not null)
            {
                throw _failure;
            }

            if (_host.IsDisposed)
            {
                throw InMemoryTransport.Disposed();
            }

            // Certificates are judged by the application's code, so not under the lock.
            InMemoryListener listener = FindListener();
            (PeerIdentity server, PeerIdentity client) = _ticket is { } ticket
                ? (ticket.Server, ticket.Client)
                : (JudgeServer(listener), JudgeClient(listener));
            InMemoryWire wire;
            lock (_network.Gate)
            {
                wire = Connect(listener, server, client);
            }

            KeepSession(wire);
            _wait.Complete(wire.Client);
        }
        catch (Exception e)
        {
            _wait.Fail(e);
        }
    }

    /// <summary>Nothing comes through: the handshake is tried again, more and more seldom, until its time is over.</summary>
    private void Repeat()
    {
        long end = _start + _request.Options.HandshakeTimeout.Ticks;
        _probe *= 2;
        long next = _network.Clock.NowTicks + _probe;
        if (next >= end && _early is null)
        {
            _failure = new TransportException(TransportErrorReason.TimedOut, $"{_request.Remote} did not answer in {_request.Options.HandshakeTimeout}.");
            next = end;
        }

        lock (_network.Gate)
        {
            _network.Clock.Schedule(this, next);
        }
    }

    private bool TryStartEarly()
    {
        if (!ComesThrough || !_request.Options.AllowEarlyData || _ticket is null || (_host.Capabilities & TransportCapabilities.EarlyData) == 0)
        {
            return false;
        }

        InMemoryListener? listener = _network.Find(_request.Remote, out _);
        if (listener is null || (listener.Capabilities & TransportCapabilities.EarlyData) == 0)
        {
            return false;
        }

        _early = Connect(listener, _ticket.Server, _ticket.Client, early: true);
        _early.ServerEnd.DropsEarlyData = _network.RejectEarlyData || !listener.Request.Options.AllowEarlyData;
        return true;
    }

    private InMemoryListener FindListener()
    {
        InMemoryListener listener = _network.Find(_request.Remote, out bool addressExists)
            ?? throw new TransportException(
                addressExists ? TransportErrorReason.Refused : TransportErrorReason.Unreachable,
                $"There is no listener at {_request.Remote} in this in-memory network.");
        if (listener.Request.Protocol != _request.Protocol)
        {
            throw new TransportException(
                TransportErrorReason.ProtocolNotSupported,
                $"{_request.Remote} speaks {listener.Request.Protocol}, not {_request.Protocol}.");
        }

        return listener.IsFull
            ? throw new TransportException(TransportErrorReason.Refused, $"{_request.Remote} has as many connections waiting as it takes.")
            : listener;
    }

    private PeerIdentity JudgeServer(InMemoryListener listener) =>
        InMemoryIdentity.Judge(_request.Remote.Trust, _request.Remote.Host, listener.Request.Local)
            ?? throw new TransportException(
                TransportErrorReason.AuthenticationFailed, $"{_request.Remote} did not prove its identity as the Remote's trust asks.");

    private PeerIdentity JudgeClient(InMemoryListener listener) => listener.Request.ClientTrust is not { } trust
        ? PeerIdentity.Anonymous
        : InMemoryIdentity.Judge(trust, null, _request.Local)
            ?? throw new TransportException(TransportErrorReason.IdentityRefused, $"{_request.Remote} did not accept our identity.");

    private InMemoryWire Connect(InMemoryListener listener, PeerIdentity server, PeerIdentity client, bool early = false)
    {
        TimeSpan idle = Shorter(_request.Options.IdleTimeout, listener.Request.Options.IdleTimeout);
        var wire = new InMemoryWire(
            _network,
            Agreed(listener),
            new InMemoryConnection.EndSettings(_request.Options, listener.Request.Options, server, idle, _request.Options.KeepAliveInterval, _ticket is not null),
            new InMemoryConnection.EndSettings(listener.Request.Options, _request.Options, client, idle, listener.Request.Options.KeepAliveInterval, _ticket is not null),
            (_host, listener.Host),
            _from!,
            InMemoryNetwork.ServerEndPoint(listener, _request.Remote));
        wire.ClientEnd.HandshakeCompleted = !early;
        wire.ServerEnd.HandshakeCompleted = !early;
        wire.ServerEnd.Listener = listener;
        long roundTrip = wire.ClientEnd.MainPath.Path.RoundTripTicks;
        wire.ClientEnd.MainPath.OnRoundTrip(roundTrip);
        wire.ServerEnd.MainPath.OnRoundTrip(roundTrip);
        wire.ClientEnd.Watch();
        wire.ServerEnd.Watch();
        _network.Add(wire);
        wire.ClientEnd.Tell(new LinkMessage(LinkMessageKind.Connect, null));
        return wire;
    }

    /// <summary>What both hosts can do. Several paths take the will of both as well.</summary>
    private TransportCapabilities Agreed(InMemoryListener listener) => _host.Capabilities & listener.Capabilities
        & (_request.Options.Multipath == MultipathPolicy.None || listener.Request.Options.Multipath == MultipathPolicy.None
            ? ~TransportCapabilities.Multipath
            : ~TransportCapabilities.None);

    private void KeepSession(InMemoryWire wire)
    {
        if ((wire.Client.Capabilities & TransportCapabilities.Resumption) == 0 || _request.Local.Sessions is not { } sessions)
        {
            return;
        }

        byte[] session = _network.Issue(new InMemoryTicket(wire.ClientEnd.Peer, wire.ServerEnd.Peer));
        try
        {
            sessions.Put(SessionKey, session, _network.Clock.GetUtcNow() + SessionLifetime);
        }
        catch (Exception)
        {
            // The cache is the application's code: the next handshake is a full one.
        }
    }

    private InMemoryTicket? TakeTicket()
    {
        if ((_host.Capabilities & TransportCapabilities.Resumption) == 0 || _request.Local.Sessions is not { } sessions)
        {
            return null;
        }

        try
        {
            return sessions.TryTake(SessionKey, out ReadOnlyMemory<byte> session) ? _network.Redeem(session.Span) : null;
        }
        catch (Exception)
        {
            return null;
        }
    }

    /// <summary>A round trip, and more where packets of the handshake are lost.</summary>
    private long HandshakeTicks()
    {
        InMemoryLinkOptions there = Interface?.Outgoing ?? _network.ToServer;
        InMemoryLinkOptions back = Interface?.Incoming ?? _network.ToClient;
        Random random = _network.NextRandom();
        long roundTrip = there.Delay.Ticks + back.Delay.Ticks
            + (long)((there.Jitter.Ticks * random.NextDouble()) + (back.Jitter.Ticks * random.NextDouble()));
        double comesThrough = (1 - there.Loss) * (1 - back.Loss);
        long wait = Math.Max(FirstProbe.Ticks, roundTrip * 3 / 2);
        long total = roundTrip;
        while (total <= _request.Options.HandshakeTimeout.Ticks && random.NextDouble() >= comesThrough)
        {
            total += wait;
            wait *= 2;
        }

        return total;
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) =>
        one <= TimeSpan.Zero ? other : other <= TimeSpan.Zero || one < other ? one : other;

    private void Cancel(CancellationToken cancellationToken)
    {
        _network.Clock.Cancel(this);
        _wait.Fail(new OperationCanceledException(cancellationToken));
    }
}
