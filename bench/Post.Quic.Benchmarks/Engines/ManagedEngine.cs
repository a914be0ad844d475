using Post.Quic.Engine;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>Post.Quic.Engine.</summary>
internal sealed class ManagedEngine : BenchEngine
{
    private QuicEndpoint? _clients;
    private QuicListener? _listener;

    public override string Name => "managed";

    public override async Task StartAsync()
    {
        var options = new QuicServerConnectionOptions
        {
            ServerAuthenticationOptions = BenchIdentity.Server(),
            MaxInboundBidirectionalStreams = BenchIdentity.MaxStreams,
            MaxInboundUnidirectionalStreams = BenchIdentity.MaxStreams,
            IdleTimeout = TimeSpan.FromMinutes(10),
        };
        _clients = QuicEndpoint.Open(new QuicEndpointOptions { LocalEndPoint = BenchIdentity.AnyPort });
        _listener = await QuicListener.ListenAsync(new QuicListenerOptions
        {
            ListenEndPoint = BenchIdentity.AnyPort,
            ConnectionOptionsCallback = (_, _, _) => ValueTask.FromResult(options),
        });
    }

    public override async Task<BenchPair> ConnectAsync()
    {
        (QuicConnection client, QuicConnection server) = await ConnectOnceAsync(null, null);
        return new BenchPair(new Connection(client), new Connection(server));
    }

    /// <summary>A ticket of one connection, then as many resumed connections as are wanted.</summary>
    public async Task<QuicSessionTicket> GetTicketAsync()
    {
        var tickets = new TicketHolder();
        (QuicConnection client, QuicConnection server) = await ConnectOnceAsync(tickets, null);
        QuicSessionTicket ticket = await tickets.Ticket.Task.WaitAsync(TimeSpan.FromSeconds(10));
        await client.DisposeAsync();
        await server.DisposeAsync();
        return ticket;
    }

    public async Task<BenchPair> ResumeAsync(QuicSessionTicket ticket)
    {
        (QuicConnection client, QuicConnection server) = await ConnectOnceAsync(null, ticket);
        return client.IsResumed
            ? new BenchPair(new Connection(client), new Connection(server))
            : throw new InvalidOperationException("The session was not resumed.");
    }

    public override async ValueTask DisposeAsync()
    {
        if (_listener is not null)
        {
            await _listener.DisposeAsync();
        }

        if (_clients is not null)
        {
            await _clients.DisposeAsync();
        }
    }

    private async Task<(QuicConnection Client, QuicConnection Server)> ConnectOnceAsync(
        QuicConnectionEvents? events, QuicSessionTicket? ticket)
    {
        Task<QuicConnection> accepting = _listener!.AcceptConnectionAsync().AsTask();
        QuicConnection client = await QuicConnection.ConnectAsync(new QuicClientConnectionOptions
        {
            RemoteEndPoint = _listener.LocalEndPoint,
            ClientAuthenticationOptions = BenchIdentity.Client(),
            Endpoint = _clients,
            Events = events,
            SessionTicket = ticket,
            IdleTimeout = TimeSpan.FromMinutes(10),
        });
        return (client, await accepting);
    }

    private sealed class TicketHolder : QuicConnectionEvents
    {
        public TaskCompletionSource<QuicSessionTicket> Ticket { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void OnSessionTicket(QuicSessionTicket ticket) => Ticket.TrySetResult(ticket);
    }

    private sealed class Connection(QuicConnection connection) : BenchConnection
    {
        public override async ValueTask<Stream> OpenAsync(bool bidirectional) => await connection.OpenOutboundStreamAsync(
            bidirectional ? QuicStreamType.Bidirectional : QuicStreamType.Unidirectional);

        public override async ValueTask<Stream> AcceptAsync() => await connection.AcceptInboundStreamAsync();

        public override ValueTask WriteLastAsync(Stream stream, ReadOnlyMemory<byte> bytes) =>
            ((QuicStream)stream).WriteAsync(bytes, completeWrites: true);

        public override ValueTask DisposeAsync() => connection.DisposeAsync();
    }
}
