using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Post.Quic.Engine.Tests.Diagnostics;
using Post.Quic.Engine.Udp;

namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>A defect that one connection, or one datagram, runs into is no end of the others on the same socket.</summary>
[TestClass]
public sealed class FaultTests
{
    private const int EndpointFailed = 4;
    private const int ConnectionFaulted = 15;
    private const int DatagramFaulted = 16;
    private const long InternalError = 1;

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_defect_on_the_receiving_thread_ends_its_connection_and_no_other()
    {
        var log = new ListLogger();
        int served = 0;
        await using QuicListener listener = await LoopbackPair.ListenAsync(listen: options => options with
        {
            LoggerFactory = new OneLogger(log),
            ConnectionOptionsCallback = (_, _, _) => ValueTask.FromResult(new QuicServerConnectionOptions
            {
                ServerAuthenticationOptions = LoopbackPair.ServerAuthentication(),
                Events = Interlocked.Increment(ref served) == 1 ? new BrokenEvents() : null,
            }),
        });
        await using QuicConnection broken = await LoopbackPair.ConnectToAsync(listener, Cancel);
        await using QuicConnection brokenServer = await listener.AcceptConnectionAsync(Cancel);
        await using QuicConnection sound = await LoopbackPair.ConnectToAsync(listener, Cancel);
        await using QuicConnection soundServer = await listener.AcceptConnectionAsync(Cancel);

        Assert.AreEqual(QuicDatagramResult.Queued, broken.TrySendDatagram("boom"u8));
        QuicException ended = await Assert.ThrowsExactlyAsync<QuicException>(() => broken.Closed.WaitAsync(Cancel));
        Assert.AreEqual(InternalError, ended.TransportErrorCode, ended.Message);
        await Assert.ThrowsExactlyAsync<QuicException>(() => brokenServer.Closed.WaitAsync(Cancel));
        Assert.Contains(entry => entry.Id == ConnectionFaulted, log.Events);

        await WorksAsync(sound, soundServer);
        await using QuicConnection next = await LoopbackPair.ConnectToAsync(listener, Cancel);
        await using QuicConnection nextServer = await listener.AcceptConnectionAsync(Cancel);
        await WorksAsync(next, nextServer);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_defect_while_sending_ends_its_connection_and_not_the_process()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel, client: options => options with { Events = new BrokenEvents() });

        Assert.AreEqual(QuicDatagramResult.Queued, pair.Client.TrySendDatagram("boom"u8));
        QuicException ended = await Assert.ThrowsExactlyAsync<QuicException>(() => pair.Client.Closed.WaitAsync(Cancel));
        Assert.AreEqual(InternalError, ended.TransportErrorCode, ended.Message);
        QuicException told = await Assert.ThrowsExactlyAsync<QuicException>(() => pair.Server.Closed.WaitAsync(Cancel));
        Assert.AreEqual(InternalError, told.TransportErrorCode, told.Message);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_socket_that_can_receive_no_more_ends_its_connections_and_says_so()
    {
        var log = new ListLogger();
        await using QuicListener listener = await LoopbackPair.ListenAsync();
        await using QuicEndpoint endpoint = QuicEndpoint.Open(new QuicEndpointOptions
        {
            LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            UsePortableSockets = true,
            LoggerFactory = new OneLogger(log),
        });
        await using QuicConnection client = await LoopbackPair.ConnectToAsync(
            listener, Cancel, options => options with { Endpoint = endpoint });
        await using QuicConnection server = await listener.AcceptConnectionAsync(Cancel);

        UdpSocket udp = endpoint.Host.Sockets[0].Udp;
        var socket = (Socket)typeof(UdpSocket).GetProperty("Socket", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(udp)!;
        socket.Close();

        await Assert.ThrowsExactlyAsync<QuicException>(() => client.Closed.WaitAsync(Cancel));
        Assert.Contains(entry => entry.Id == EndpointFailed, log.Events);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_defect_that_strikes_the_end_itself_still_ends_the_connection()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel, client: options => options with { Events = new BrokenEvents { BreaksAtClose = true } });

        pair.Client.TrySendDatagram("boom"u8);
        await Assert.ThrowsExactlyAsync<QuicException>(() => pair.Client.Closed.WaitAsync(Cancel));
        Assert.AreEqual(QuicDatagramResult.Unavailable, pair.Client.TrySendDatagram("more"u8));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_defect_before_a_connection_is_known_costs_one_datagram()
    {
        var log = new ListLogger();
        using var factory = new OneMeter();
        await using QuicListener listener = await LoopbackPair.ListenAsync(listen: options => options with
        {
            LoggerFactory = new OneLogger(log),
            MeterFactory = factory,
        });
        using var faulty = new MeterListener
        {
            InstrumentPublished = (instrument, meters) =>
            {
                if (instrument.Meter.Scope == factory && instrument.Name == "quic.endpoint.datagrams.dropped")
                {
                    meters.EnableMeasurementEvents(instrument);
                }
            },
        };
        faulty.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException("a defect"));
        faulty.Start();

        using var stranger = new Socket(listener.LocalEndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await stranger.SendToAsync(new byte[] { 0xC0, 1, 2, 3 }, SocketFlags.None, listener.LocalEndPoint, Cancel);
        while (!log.Events.Any(entry => entry.Id == DatagramFaulted))
        {
            await Task.Delay(5, Cancel);
        }

        await using QuicConnection client = await LoopbackPair.ConnectToAsync(listener, Cancel);
        await using QuicConnection server = await listener.AcceptConnectionAsync(Cancel);
        await WorksAsync(client, server);
    }

    private async Task WorksAsync(QuicConnection client, QuicConnection server)
    {
        await using QuicStream sent = await client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        await sent.WriteAsync("works"u8.ToArray(), completeWrites: true, Cancel);
        await using QuicStream received = await server.AcceptInboundStreamAsync(Cancel);
        using var reader = new StreamReader(received, leaveOpen: true);
        Assert.AreEqual("works", await reader.ReadToEndAsync(Cancel));
    }

    /// <summary>Stands for a defect: throws in the middle of the connection's work, on whatever thread that is.</summary>
    private sealed class BrokenEvents : QuicConnectionEvents
    {
        public bool BreaksAtClose { get; init; }

        public override bool OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt) =>
            throw new InvalidOperationException("a defect");

        public override void OnDatagramState(long token, QuicDatagramState state)
        {
            if (state == QuicDatagramState.Sent)
            {
                throw new InvalidOperationException("a defect");
            }
        }

        public override void OnClosed(QuicException reason)
        {
            if (BreaksAtClose)
            {
                throw new InvalidOperationException("another defect");
            }
        }
    }

    private sealed class OneMeter : IMeterFactory
    {
        private Meter? _meter;

        public Meter Create(MeterOptions options)
        {
            options.Scope = this;
            return _meter ??= new Meter(options);
        }

        public void Dispose() => _meter?.Dispose();
    }
}
