using System.Collections.Concurrent;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Udp;

namespace Post.Quic.Engine.Endpoint;

/// <summary>One socket of an endpoint: hands what arrives to connections, and what connections build to the kernel.</summary>
internal sealed class EndpointSocket : IUdpReceiver, IDisposable
{
    private readonly EndpointHost _host;
    private readonly UdpSocket _socket;
    private readonly EndpointIngress<QuicConnection> _ingress;
    private readonly byte[] _response = new byte[EndpointIngress<QuicConnection>.MaxResponse];
    private readonly ConcurrentQueue<ConnectionDriver> _waitingToSend = new();
    private RateLimit _errors = new(Limits.UdpErrorsPerSecond);
    private int _wasSegmenting;
    private volatile bool _isDisposed;

    public EndpointSocket(EndpointHost host, UdpSocket socket)
    {
        _host = host;
        _socket = socket;
        _ingress = host.CreateIngress();
        _wasSegmenting = socket.IsSegmenting ? 1 : 0;
    }

    public NetworkAddress LocalAddress => _socket.LocalAddress;

    public UdpSocket Udp => _socket;

    /// <summary>Who needs it open: the endpoint, or the connections that moved here. Under the host's gate.</summary>
    public int Users { get; set; }

    public void Start()
    {
        _socket.Start(this);

        // The socket outlives whoever happens to open it, and must not keep what flows with their call.
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
        {
            _ = _socket.Completion.ContinueWith(
                static (completion, self) => ((EndpointSocket)self!).OnFailed(completion.Exception!.InnerException!),
                this,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    /// <summary>Whether datagrams from that address leave by this socket.</summary>
    public bool Serves(in NetworkAddress local) => LocalAddress.IsSameSocket(local);

    public UdpSendResult Send(ReadOnlySpan<byte> payload, in OutgoingDatagrams batch, out int sent)
    {
        NetworkAddress source = batch.Local.IsUnspecified ? NetworkAddress.None : batch.Local;
        UdpSendResult result = _socket.Send(payload, batch.SegmentSize, new UdpRoute(batch.Remote, source), batch.Ecn, out sent);
        if (_wasSegmenting != 0 && !_socket.IsSegmenting && Interlocked.Exchange(ref _wasSegmenting, 0) != 0)
        {
            EngineLog.SegmentationOffloadLost(_host.Logger, LocalAddress.ToEndPoint());
        }

        return result;
    }

    public void WakeWhenWritable(ConnectionDriver driver)
    {
        _waitingToSend.Enqueue(driver);
        _socket.NotifyWhenWritable();
        if (_isDisposed)
        {
            ReleaseWaiting();
        }
    }

    public void OnReceive(UdpReceiveBatch batch)
    {
        long now = _host.Clock.Now;
        var metadata = new DatagramMetadata(batch.Local, batch.Remote, batch.Ecn, now - batch.Age);
        Span<byte> rest = batch.Data;

        // A batch is of one flow, so nearly always of one connection: it is woken once, when all of it is in.
        QuicConnection? touched = null;
        do
        {
            int size = Math.Min(batch.SegmentSize, rest.Length);
            QuicConnection? connection = ReceiveOne(rest[..size], metadata, now);
            if (connection is not null && connection != touched)
            {
                touched?.Driver.WakeHere();
                touched = connection;
            }

            rest = rest[size..];
        }
        while (!rest.IsEmpty);

        touched?.Driver.WakeHere();
    }

    public void OnError(in UdpError error)
    {
        if (_errors.TryTake(_host.Clock.Now))
        {
            _host.OnUdpError(error);
        }
    }

    public void OnWritable()
    {
        // Those who find it full again queue up anew behind the end of this round.
        for (int waiting = _waitingToSend.Count; waiting > 0 && _waitingToSend.TryDequeue(out ConnectionDriver? driver); waiting--)
        {
            driver.OnWritable();
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _socket.Dispose();
        ReleaseWaiting();

        // A call of ours may be under way on the receiving thread.
        _ = _socket.Completion.ContinueWith(
            static (_, ingress) => ((EndpointIngress<QuicConnection>)ingress!).Dispose(),
            _ingress,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    /// <summary>Who waits for room in a socket that is closed shall not wait for ever: what could not be sent is lost.</summary>
    private void ReleaseWaiting()
    {
        while (_waitingToSend.TryDequeue(out ConnectionDriver? driver))
        {
            driver.OnWritable();
        }
    }

    private void OnFailed(Exception error)
    {
        EngineLog.EndpointFailed(_host.Logger, error, LocalAddress.ToEndPoint());
        _host.OnSocketFailed(this);
    }

    /// <summary>A defect costs the datagram that met it, or its connection; never the socket, which all others need.</summary>
    private QuicConnection? ReceiveOne(Span<byte> datagram, in DatagramMetadata metadata, long now)
    {
        try
        {
            return Receive(datagram, metadata, now);
        }
        catch (Exception error)
        {
            EngineLog.DatagramFaulted(_host.Logger, error, metadata.Remote);
            return null;
        }
    }

    private QuicConnection? Receive(Span<byte> datagram, in DatagramMetadata metadata, long now)
    {
        Route<QuicConnection> route = _ingress.Decide(datagram, metadata, _host.Incoming, _host.Handshakes, now, _response);
        switch (route.Kind)
        {
            case RouteKind.Deliver:
                return Deliver(route.Connection!, datagram, metadata, now) ? route.Connection : null;

            case RouteKind.Accept when _host.TryAccept(route.Arrival, metadata, now) is { } accepted:
                return Deliver(accepted, datagram, metadata, now) ? accepted : null;

            case RouteKind.Respond:
                var answer = new OutgoingDatagrams(metadata.Local, metadata.Remote, default, route.ResponseLength, route.ResponseLength);
                _ = Send(_response.AsSpan(0, route.ResponseLength), answer, out _);
                return null;

            case RouteKind.Drop:
                if (route.DropReason == EndpointDropReason.Saturated)
                {
                    _host.Load.OnTurnedAway(_host.Handshakes, now);
                }

                _host.Metrics.DatagramDropped(route.DropReason);
                return null;

            default:
                return null;
        }
    }

    private static bool Deliver(QuicConnection connection, Span<byte> datagram, in DatagramMetadata metadata, long now)
    {
        try
        {
            return TryDeliver(connection, datagram, metadata, now);
        }
        catch (Exception error)
        {
            connection.OnFault(error);
            return true;
        }
    }

    private static bool TryDeliver(QuicConnection connection, Span<byte> datagram, in DatagramMetadata metadata, long now)
    {
        lock (connection.Driver.Gate)
        {
            // Its ids are routed before it is set up, and the endpoint's other sockets have threads of their own.
            if (!connection.Driver.IsSetUp)
            {
                return false;
            }

            // What is processed is acknowledged, and a DATAGRAM frame that is then dropped would be lost without a sign. So a listener that is
            // behind makes the whole packet a loss, as a full socket does, which the peer's recovery and congestion control see.
            if (!connection.EventQueue.HasRoomFor(datagram.Length))
            {
                return true;
            }

            connection.Driver.Core.ReceiveDatagram(datagram, metadata, now);
            return true;
        }
    }
}
