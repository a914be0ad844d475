using Post.Quic.Engine;
using Post.Quic.Managed;
using Post.Sockets.Transport;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>Post.Quic.Engine, and Post over it.</summary>
internal sealed class ManagedEngine : PostObjectsEngine
{
    private QuicEndpoint? _clients;
    private QuicListener? _listener;
    private QuicConnectionEvents? _serverEvents;

    public override string Name => "managed";

    public override string Key => "managed";

    public override bool HasWholeStreams => true;

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
            ConnectionOptionsCallback = (_, _, _) => ValueTask.FromResult(options with { Events = _serverEvents }),
        });
    }

    public override async Task<BenchPair> ConnectAsync(CancellationToken cancellationToken)
    {
        (QuicConnection client, QuicConnection server) = await ConnectOnceAsync(null, null, cancellationToken);
        return new BenchPair(new Connection(client), new Connection(server));
    }

    public override async Task<WholeStreamPair> ConnectWholeStreamsAsync(CancellationToken cancellationToken)
    {
        var sender = new ManagedWholeStreams.Sender();
        var receiver = new ManagedWholeStreams.Receiver();
        _serverEvents = receiver;
        (QuicConnection client, QuicConnection server) = await ConnectOnceAsync(sender, null, cancellationToken);
        _serverEvents = null;
        return new ManagedWholeStreams(client, server, sender, receiver);
    }

    /// <summary>A ticket of one connection, then as many resumed connections as are wanted.</summary>
    public async Task<QuicSessionTicket> GetTicketAsync(CancellationToken cancellationToken)
    {
        var tickets = new TicketHolder();
        (QuicConnection client, QuicConnection server) = await ConnectOnceAsync(tickets, null, cancellationToken);
        QuicSessionTicket ticket = await tickets.Ticket.Task.WaitAsync(TimeSpan.FromSeconds(10), cancellationToken);
        await client.DisposeAsync();
        await server.DisposeAsync();
        return ticket;
    }

    public async Task<BenchPair> ResumeAsync(QuicSessionTicket ticket, CancellationToken cancellationToken)
    {
        (QuicConnection client, QuicConnection server) = await ConnectOnceAsync(null, ticket, cancellationToken);
        return client.IsResumed
            ? new BenchPair(new Connection(client), new Connection(server))
            : throw new WrongBytesException("The session was not resumed.");
    }

    protected override PostTransport CreateTransport() => new ManagedTransport();

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
        QuicConnectionEvents? events, QuicSessionTicket? ticket, CancellationToken cancellationToken)
    {
        Task<QuicConnection> accepting = _listener!.AcceptConnectionAsync(cancellationToken).AsTask();
        QuicConnection client = await QuicConnection.ConnectAsync(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = _listener.LocalEndPoint,
                ClientAuthenticationOptions = BenchIdentity.Client(),
                Endpoint = _clients,
                Events = events,
                SessionTicket = ticket,
                IdleTimeout = TimeSpan.FromMinutes(10),
            },
            cancellationToken);
        return (client, await accepting);
    }

    private sealed class TicketHolder : QuicConnectionEvents
    {
        public TaskCompletionSource<QuicSessionTicket> Ticket { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void OnSessionTicket(QuicSessionTicket ticket) => Ticket.TrySetResult(ticket);
    }

    private sealed class Connection(QuicConnection connection) : BenchConnection
    {
        public override async ValueTask<Stream> OpenAsync(bool bidirectional, CancellationToken cancellationToken) =>
            await connection.OpenOutboundStreamAsync(
                bidirectional ? QuicStreamType.Bidirectional : QuicStreamType.Unidirectional, cancellationToken);

        public override async ValueTask<Stream> AcceptAsync(CancellationToken cancellationToken) =>
            await connection.AcceptInboundStreamAsync(cancellationToken);

        public override ValueTask WriteLastAsync(
            Stream stream, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
            ((QuicStream)stream).WriteAsync(bytes, completeWrites: true, cancellationToken);

        public override ValueTask DisposeAsync() => connection.DisposeAsync();
    }
}
