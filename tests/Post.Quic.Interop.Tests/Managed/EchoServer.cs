using Post.Quic.Engine;

namespace Post.Quic.Interop.Tests.Managed;

/// <summary>Sends back what comes on one of our connections: streams of both kinds, and datagrams.</summary>
internal sealed class EchoServer : IDisposable
{
    private readonly QuicConnection _connection;
    private readonly SemaphoreSlim _echoed = new(0);
    private int _streams;

    private EchoServer(QuicConnection connection)
    {
        _connection = connection;
    }

    /// <summary>Streams sent back to their end.</summary>
    public int Streams => Volatile.Read(ref _streams);

    /// <summary>Ends with the connection, which the client closes.</summary>
    public Task Running { get; private set; } = Task.CompletedTask;

    public static EchoServer Start(QuicConnection connection, CancellationToken cancellationToken)
    {
        var server = new EchoServer(connection);
        server.Running = Task.WhenAll(
            server.EchoStreamsAsync(cancellationToken), server.EchoDatagramsAsync(cancellationToken));
        return server;
    }

    public void Dispose() => _echoed.Dispose();

    /// <summary>Until that many more streams were sent back.</summary>
    public async Task WaitForStreamsAsync(int count, CancellationToken cancellationToken)
    {
        for (int i = 0; i < count; i++)
        {
            await _echoed.WaitAsync(cancellationToken);
        }
    }

    private async Task EchoStreamsAsync(CancellationToken cancellationToken)
    {
        List<Task> streams = [];
        try
        {
            while (true)
            {
                streams.Add(EchoAsync(await _connection.AcceptInboundStreamAsync(cancellationToken), cancellationToken));
            }
        }
        catch (QuicException) when (_connection.Closed.IsCompleted)
        {
            // That is how a client leaves.
        }

        await Task.WhenAll(streams);
    }

    private async Task EchoAsync(QuicStream inbound, CancellationToken cancellationToken)
    {
        await using QuicStream stream = inbound;
        QuicStream outbound = stream.Type == QuicStreamType.Bidirectional
            ? stream
            : await _connection.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, cancellationToken);
        await stream.CopyToAsync(outbound, cancellationToken);
        outbound.CompleteWrites();
        Interlocked.Increment(ref _streams);
        _echoed.Release();
        await outbound.WaitForDeliveryAsync(_connection, cancellationToken);
    }

    private async Task EchoDatagramsAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                ReadOnlyMemory<byte> datagram = await _connection.ReceiveDatagramAsync(cancellationToken);
                _connection.TrySendDatagram(datagram.Span);
            }
        }
        catch (QuicException) when (_connection.Closed.IsCompleted)
        {
            // That is how a client leaves.
        }
    }
}
