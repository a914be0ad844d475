using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Tests.Endpoint;

[TestClass]
public sealed class LoopbackTests
{
    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Two_endpoints_shake_hands()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);

        Assert.AreEqual(LoopbackPair.Protocol, pair.Client.NegotiatedApplicationProtocol);
        Assert.AreEqual(LoopbackPair.Protocol, pair.Server.NegotiatedApplicationProtocol);
        Assert.AreEqual("localhost", pair.Server.TargetHostName);
        Assert.IsNotNull(pair.Client.RemoteCertificate);
        Assert.AreEqual(pair.Client.LocalEndPoint.Port, pair.Server.RemoteEndPoint.Port);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(1200)]
    [DataRow(1_000_000)]
    [DataRow(20_000_000)]
    public async Task Bytes_go_both_ways_intact(int size)
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel);
        byte[] sent = RandomNumberGenerator.GetBytes(size);

        await using QuicStream outbound = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        Task writing = outbound.WriteAsync(sent, completeWrites: true, Cancel).AsTask();
        await using QuicStream inbound = await pair.Server.AcceptInboundStreamAsync(Cancel);
        byte[] received = await ReadAllAsync(inbound);
        await writing;
        Task echoing = inbound.WriteAsync(received, completeWrites: true, Cancel).AsTask();
        byte[] echoed = await ReadAllAsync(outbound);
        await echoing;

        CollectionAssert.AreEqual(sent, received);
        CollectionAssert.AreEqual(sent, echoed);
        await outbound.WritesClosed.WaitAsync(Cancel);
        await inbound.WritesClosed.WaitAsync(Cancel);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task The_options_of_the_callback_hold_for_their_connection_alone()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel, server: options => options with { MaxInboundUnidirectionalStreams = 2, MaxInboundBidirectionalStreams = 0 });

        Assert.IsNotNull(pair.Client.TryOpenOutboundStream(QuicStreamType.Unidirectional));
        Assert.IsNotNull(pair.Client.TryOpenOutboundStream(QuicStreamType.Unidirectional));
        Assert.IsNull(pair.Client.TryOpenOutboundStream(QuicStreamType.Unidirectional));
        Assert.IsNull(pair.Client.TryOpenOutboundStream(QuicStreamType.Bidirectional));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_stream_beyond_the_limit_opens_when_another_has_ended()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel, server: options => options with { MaxInboundUnidirectionalStreams = 1 });
        QuicStream first = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        Task<QuicStream> second = pair.Client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel).AsTask();
        await first.WriteAsync(new byte[100], completeWrites: true, Cancel);
        Assert.IsFalse(second.IsCompleted);

        await using (QuicStream inbound = await pair.Server.AcceptInboundStreamAsync(Cancel))
        {
            await ReadAllAsync(inbound);
        }

        Assert.AreNotEqual(first.Id, (await second.WaitAsync(Cancel)).Id);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_callback_that_throws_refuses_one_client_and_no_other()
    {
        int calls = 0;
        var good = new QuicServerConnectionOptions { ServerAuthenticationOptions = LoopbackPair.ServerAuthentication() };
        await using QuicListener listener = await LoopbackPair.ListenAsync(listen: options => options with
        {
            ConnectionOptionsCallback = (_, _, _) => Interlocked.Increment(ref calls) == 1
                ? throw new InvalidOperationException("not this one")
                : ValueTask.FromResult(good),
        });

        QuicException refused = await Assert.ThrowsExactlyAsync<QuicException>(
            () => LoopbackPair.ConnectToAsync(listener, Cancel).AsTask());
        await using QuicConnection second = await LoopbackPair.ConnectToAsync(listener, Cancel);

        Assert.AreEqual(QuicError.ConnectionRefused, refused.QuicError);
        Assert.IsTrue(second.IsHandshakeComplete);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Nobody_there_ends_in_a_timeout_that_says_what_to_check()
    {
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        QuicException timedOut = await Assert.ThrowsExactlyAsync<QuicException>(() => QuicConnection.ConnectAsync(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = silent.LocalEndPoint!,
                ClientAuthenticationOptions = LoopbackPair.ClientAuthentication(),
                HandshakeTimeout = TimeSpan.FromMilliseconds(300),
            },
            Cancel).AsTask());

        Assert.AreEqual(QuicError.ConnectionTimeout, timedOut.QuicError);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(false)]
    [DataRow(true)]
    public async Task A_server_on_no_address_answers_from_the_one_that_was_asked(bool usesPortableSockets)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Only on Linux is all of 127.0.0.0/8 of this machine.");
        }

        await using QuicEndpoint server = QuicEndpoint.Open(
            new QuicEndpointOptions { LocalEndPoint = new IPEndPoint(IPAddress.Any, 0), UsePortableSockets = usesPortableSockets });
        await using QuicListener listener = await LoopbackPair.ListenAsync(
            listen: options => options with { ListenEndPoint = server.LocalEndPoint, Endpoint = server });
        foreach (string asked in new[] { "127.0.0.2", "127.0.0.3", "127.0.0.2" })
        {
            await using QuicConnection client = await LoopbackPair.ConnectToAsync(
                listener, Cancel, options => options with { RemoteEndPoint = new IPEndPoint(IPAddress.Parse(asked), server.LocalEndPoint.Port) });
            await using QuicConnection accepted = await listener.AcceptConnectionAsync(Cancel);

            Assert.AreEqual(asked, accepted.LocalEndPoint.Address.ToString());
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_pinned_key_stands_in_the_place_of_an_authority()
    {
        await using QuicListener listener = await LoopbackPair.ListenAsync();
        var bare = new SslClientAuthenticationOptions { ApplicationProtocols = [LoopbackPair.Protocol] };

        await using QuicConnection pinned = await LoopbackPair.ConnectToAsync(
            listener, Cancel, options => options with { ClientAuthenticationOptions = bare, PinnedPublicKeys = [LoopbackPair.ServerKeyHash] });
        QuicException refused = await Assert.ThrowsExactlyAsync<QuicException>(() => LoopbackPair.ConnectToAsync(
            listener, Cancel, options => options with { ClientAuthenticationOptions = bare, PinnedPublicKeys = [new byte[32]] }).AsTask());

        Assert.IsTrue(pinned.IsHandshakeComplete);
        Assert.AreEqual(QuicError.AuthenticationFailed, refused.QuicError);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_connection_moves_to_another_address_and_both_ends_hear_of_it()
    {
        var serverEvents = new PathRecorder();
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel, server: options => options with { Events = serverEvents });
        await EchoOnceAsync(pair);

        var other = new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0);
        await pair.Client.MigrateAsync(other, Cancel);
        await EchoOnceAsync(pair);

        Assert.AreEqual(other.Address, pair.Client.LocalEndPoint.Address);
        await serverEvents.Moved.WaitAsync(Cancel);
        Assert.AreEqual(other.Address, pair.Server.RemoteEndPoint.Address);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_session_is_resumed_with_its_ticket()
    {
        var tickets = new TicketRecorder();
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel, client: options => options with { Events = tickets });
        await EchoOnceAsync(pair);
        QuicSessionTicket ticket = await tickets.Next.WaitAsync(Cancel);
        Assert.IsTrue(QuicSessionTicket.TryParse(ticket.ToArray(), out QuicSessionTicket? stored));

        await using QuicConnection second = await LoopbackPair.ConnectToAsync(
            pair.Listener, Cancel, options => options with { SessionTicket = stored });

        Assert.IsTrue(second.IsResumed);
        Assert.IsFalse(pair.Client.IsResumed);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Retry_proves_the_address_before_the_handshake()
    {
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(
            Cancel, listen: options => options with { Retry = QuicRetryPolicy.Always });

        await EchoOnceAsync(pair);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Datagrams_arrive_and_are_acknowledged()
    {
        var states = new DatagramRecorder();
        await using LoopbackPair pair = await LoopbackPair.ConnectAsync(Cancel, client: options => options with { Events = states });
        Assert.IsGreaterThan(1000, pair.Client.MaxDatagramSize);

        Assert.AreEqual(QuicDatagramResult.Queued, pair.Client.TrySendDatagram([1, 2, 3], token: 42));
        Assert.AreEqual(QuicDatagramResult.TooLarge, pair.Client.TrySendDatagram(new byte[70_000]));

        CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, (await pair.Server.ReceiveDatagramAsync(Cancel)).ToArray());
        Assert.AreEqual(42, await states.Acknowledged.WaitAsync(Cancel));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_trace_is_written_where_it_is_asked_for()
    {
        string directory = Directory.CreateTempSubdirectory("quic-qlog-").FullName;
        try
        {
            var trace = new QuicTraceOptions { Directory = directory };
            await using (LoopbackPair pair = await LoopbackPair.ConnectAsync(
                Cancel, client: options => options with { Trace = trace }, listen: options => options with { Trace = trace }))
            {
                await EchoOnceAsync(pair);
            }

            string[] files;
            do
            {
                await Task.Delay(20, Cancel);
                files = Directory.GetFiles(directory, "*.sqlog");
            }
            while (files.Length < 2 || files.Any(file => !ReadShared(file).Contains("quic:packet_sent", StringComparison.Ordinal)));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Closing_the_endpoint_ends_its_connections()
    {
        await using QuicListener listener = await LoopbackPair.ListenAsync();
        QuicEndpoint endpoint = QuicEndpoint.Open(new QuicEndpointOptions { LocalEndPoint = new(IPAddress.Loopback, 0) });
        QuicConnection connection = await LoopbackPair.ConnectToAsync(listener, Cancel, options => options with { Endpoint = endpoint });
        Task<QuicStream> accepting = connection.AcceptInboundStreamAsync(Cancel).AsTask();

        await endpoint.DisposeAsync();

        QuicException ended = await Assert.ThrowsExactlyAsync<QuicException>(() => accepting);
        Assert.AreEqual(QuicError.OperationAborted, ended.QuicError);
    }

    private static string ReadShared(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        return reader.ReadToEnd();
    }

    private async Task EchoOnceAsync(LoopbackPair pair)
    {
        await using QuicStream outbound = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        await outbound.WriteAsync(new byte[] { 1, 2, 3 }, completeWrites: true, Cancel);
        await using QuicStream inbound = await pair.Server.AcceptInboundStreamAsync(Cancel);
        await inbound.WriteAsync(await ReadAllAsync(inbound), completeWrites: true, Cancel);
        CollectionAssert.AreEqual(new byte[] { 1, 2, 3 }, await ReadAllAsync(outbound));
    }

    private async Task<byte[]> ReadAllAsync(QuicStream stream)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = await stream.ReadAsync(buffer, Cancel)) > 0)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }

    private sealed class PathRecorder : QuicConnectionEvents
    {
        private readonly TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Moved => _moved.Task;

        public override void OnPathChanged(QuicPath path, QuicPathChange change)
        {
            if (change == QuicPathChange.Active && path.RemoteEndPoint.Address.Equals(IPAddress.Parse("127.0.0.2")))
            {
                _moved.TrySetResult();
            }
        }
    }

    private sealed class TicketRecorder : QuicConnectionEvents
    {
        private readonly TaskCompletionSource<QuicSessionTicket> _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<QuicSessionTicket> Next => _next.Task;

        public override void OnSessionTicket(QuicSessionTicket ticket) => _next.TrySetResult(ticket);
    }

    private sealed class DatagramRecorder : QuicConnectionEvents
    {
        private readonly TaskCompletionSource<long> _acknowledged = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<long> Acknowledged => _acknowledged.Task;

        public override void OnDatagramState(long token, QuicDatagramState state)
        {
            if (state == QuicDatagramState.Acknowledged)
            {
                _acknowledged.TrySetResult(token);
            }
        }
    }
}
