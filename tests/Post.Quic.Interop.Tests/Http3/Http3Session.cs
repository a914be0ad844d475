using System.Net.Security;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Managed;

namespace Post.Quic.Interop.Tests.Http3;

/// <summary>HTTP/3 over one of our connections, as its client or its server.</summary>
internal sealed class Http3Session
{
    private readonly QuicConnection _connection;
    private readonly Func<byte[], ReadOnlyMemory<byte>>? _respond;
    private int _requests;

    private Http3Session(QuicConnection connection, Func<byte[], ReadOnlyMemory<byte>>? respond)
    {
        _connection = connection;
        _respond = respond;
    }

    public static SslApplicationProtocol Protocol => SslApplicationProtocol.Http3;

    /// <summary>Requests answered.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Ends with the connection; an HTTP/3 mistake of the peer fails it.</summary>
    public Task Running { get; private set; } = Task.CompletedTask;

    /// <summary>Sends our settings and begins to take the peer's streams.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="respond">A server's: makes the body of a response out of that of the request.</param>
    /// <param name="cancellationToken">Ends the session.</param>
    public static async Task<Http3Session> StartAsync(
        QuicConnection connection, Func<byte[], ReadOnlyMemory<byte>>? respond, CancellationToken cancellationToken)
    {
        var session = new Http3Session(connection, respond);
        QuicStream control = await connection.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, cancellationToken);
        await control.WriteAsync(Http3Frames.ControlStreamStart, cancellationToken);
        session.Running = session.AcceptAsync(cancellationToken);
        return session;
    }

    /// <summary>Takes a client of a listener and serves it.</summary>
    public static async Task<Http3Session> ServeAsync(
        QuicListener listener, Func<byte[], ReadOnlyMemory<byte>> respond, CancellationToken cancellationToken) =>
        await StartAsync(await listener.AcceptConnectionAsync(cancellationToken), respond, cancellationToken);

    public Task<byte[]> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(path, null, cancellationToken);

    public Task<byte[]> PostAsync(string path, ReadOnlyMemory<byte> body, CancellationToken cancellationToken) =>
        SendAsync(path, body, cancellationToken);

    private async Task<byte[]> SendAsync(string path, ReadOnlyMemory<byte>? body, CancellationToken cancellationToken)
    {
        await using QuicStream stream =
            await _connection.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, cancellationToken);
        Task writing = stream.WriteAsync(Http3Frames.Request(path, body), completeWrites: true, cancellationToken).AsTask();
        (byte[] headers, byte[] received) = Http3Frames.Parse(await stream.ReadToEndAsync(cancellationToken));
        await writing;
        Assert.IsTrue(Http3Frames.IsSuccess(headers), $"The response to {path} has the header block {Convert.ToHexString(headers)}.");
        return received;
    }

    private async Task AcceptAsync(CancellationToken cancellationToken)
    {
        List<Task> streams = [];
        try
        {
            while (true)
            {
                QuicStream stream = await _connection.AcceptInboundStreamAsync(cancellationToken);
                streams.Add(stream.Type == QuicStreamType.Bidirectional
                    ? AnswerAsync(stream, cancellationToken)
                    : TakeSideStreamAsync(stream, cancellationToken));
            }
        }
        catch (QuicException) when (_connection.Closed.IsCompleted)
        {
            // That is how a session ends.
        }

        await Task.WhenAll(streams);
    }

    private async Task AnswerAsync(QuicStream stream, CancellationToken cancellationToken)
    {
        await using QuicStream request = stream;
        byte[] message = await stream.ReadToEndAsync(cancellationToken);
        (byte[] headers, byte[] body) = Http3Frames.Parse(message);
        Assert.AreNotEqual(0, headers.Length, "A request without HEADERS.");
        await stream.WriteAsync(Http3Frames.Response(_respond!(body)), completeWrites: true, cancellationToken);
        Interlocked.Increment(ref _requests);
        await stream.WaitForDeliveryAsync(_connection, cancellationToken);
    }

    // The control stream, and the two of QPACK that have nothing to say without a dynamic table.
    private async Task TakeSideStreamAsync(QuicStream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[4096];
        bool first = true;
        try
        {
            int count;
            while ((count = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                if (first)
                {
                    ReadOnlySpan<byte> start = buffer.AsSpan(0, count);
                    Assert.AreNotEqual(Http3Frames.PushStream, Http3Frames.ReadVarInt(ref start), "A push that nobody asked for.");
                    first = false;
                }
            }
        }
        catch (QuicException) when (_connection.Closed.IsCompleted)
        {
            // These streams live as long as the connection.
        }
    }
}
