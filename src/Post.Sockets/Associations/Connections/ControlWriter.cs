using System.Buffers;
using System.Security.Cryptography;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>Writes our control stream: HELLO first, then whatever <see cref="PendingFrames"/> has. Its fields belong to the owner.</summary>
internal sealed class ControlWriter(PostConnection connection)
{
    private const int BufferSize = 2 * ProtocolLimits.MaxFrameLength;

    private TransportStream? _stream;
    private bool _isWriting;
    private bool _shallEnd;
    private bool _isEnded;

    /// <summary>Our control stream.</summary>
    public TransportStream? Stream => _stream;

    private PostConnection Connection => connection;

    /// <summary>Ends the stream once all is written, so that its acknowledgement says that the peer has every receipt. By the owner.</summary>
    public void EndWhenIdle() => _shallEnd = true;

    /// <summary>
    /// The server did not take the early data, and our stream with it. True when it has to be opened again; where it is just being
    /// opened, that goes on. By the owner.
    /// </summary>
    public bool OnEarlyDataRejected()
    {
        var wasOpen = _stream is not null;
        _stream = null;
        _isEnded = false;
        return wasOpen;
    }

    /// <summary>Opens the stream and writes HELLO.</summary>
    public async ValueTask OpenAsync(HelloFrame hello, CancellationToken cancellationToken)
    {
        while (!await TryOpenAsync(hello, cancellationToken).ConfigureAwait(false))
        {
            // Only early data is void, and only once.
        }
    }

    /// <summary>Writes what is due. By the owner.</summary>
    public void Run()
    {
        var isEnd = _shallEnd && !_isEnded;
        if (_stream is not { } stream || _isWriting || connection.State.IsClosed || _isEnded || !(connection.Frames.IsDue || isEnd))
        {
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        var length = connection.Frames.Write(buffer.AsSpan(0, BufferSize));
        isEnd &= connection.Frames.IsEmpty;
        _isWriting = true;
        _isEnded = isEnd;
        try
        {
            var writing = stream.WriteAsync(buffer.AsMemory(0, length), isEnd, CancellationToken.None);
            if (writing.IsCompletedSuccessfully)
            {
                ArrayPool<byte>.Shared.Return(buffer);
                Finish(stream, writing.Result);
                return;
            }

            using (ExecutionContext.SuppressFlow())
            {
                _ = FinishAsync(stream, buffer, writing);
            }
        }
        catch (Exception exception) when (exception is TransportException or ObjectDisposedException)
        {
            // The connection ended, or the early data is void; the event of it is on the way.
        }
    }

    private static ulong Random()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt64(bytes);
    }

    private async ValueTask<bool> TryOpenAsync(HelloFrame hello, CancellationToken cancellationToken)
    {
        var stream = await connection.Transport
            .OpenStreamAsync(TransportStreamKind.Unidirectional, TransportPriority.Control, cancellationToken)
            .ConfigureAwait(false);
        var opening = new Opening(this, stream, hello);
        await connection.State.Owner.InvokeAsync(static opening => ((Opening)opening).Begin(), opening).ConfigureAwait(false);
        try
        {
            var result = await stream.WriteAsync(opening.Bytes, false, cancellationToken).ConfigureAwait(false);
            PostFinish(stream, result);
            return true;
        }
        catch (TransportException exception) when (exception.Reason == TransportErrorReason.EarlyDataRejected)
        {
            // Who was told of the rejection before us opens it again already.
            await connection.State.Owner.InvokeAsync(static opening => ((Opening)opening).Abandon(), opening).ConfigureAwait(false);
            return !opening.WasOurs;
        }
    }

    private async Task FinishAsync(TransportStream stream, byte[] buffer, ValueTask<TransportWriteResult> writing)
    {
        try
        {
            var result = await writing.ConfigureAwait(false);
            ArrayPool<byte>.Shared.Return(buffer);
            PostFinish(stream, result);
        }
        catch (Exception exception) when (exception is TransportException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection ended, or the early data is void; the event of it is on the way.
        }
    }

    private void PostFinish(TransportStream stream, TransportWriteResult result) => connection.State.Owner.Post(new Message(
        static (target, stream, stopped) => ((ControlWriter)target).Finish(
            (TransportStream)stream!, stopped < 0 ? TransportWriteResult.Taken : TransportWriteResult.Stopped(stopped)),
        this,
        stream,
        result.IsStopped ? result.StopCode : -1));

    private void Finish(TransportStream stream, TransportWriteResult result)
    {
        if (stream != _stream)
        {
            return;
        }

        _isWriting = false;
        if (result.IsStopped && !connection.State.IsClosed)
        {
            connection.Violate(PostErrorCode.ControlStreamError, "the peer stopped our control stream");
        }
    }

    /// <summary>The beginning of our control stream on one transport's stream.</summary>
    private sealed class Opening(ControlWriter writer, TransportStream stream, HelloFrame hello)
    {
        public ReadOnlyMemory<byte> Bytes { get; private set; }

        /// <summary>It was the control stream until its early data proved void.</summary>
        public bool WasOurs { get; private set; }

        public void Begin()
        {
            Span<byte> buffer = stackalloc byte[2 * HelloFrame.MaxLength];
            var length = PostInteger.Write(buffer, StreamType.Control);
            length += hello.Write(buffer[length..], Random());

            // Nothing goes before HELLO. What the clock shows follows at once: the objects may be repeated before they arrive.
            writer._isWriting = true;
            writer._stream = stream;
            length += writer.Connection.Frames.WriteClock(buffer[length..]);
            length += ControlFrame.WriteGrease(buffer[length..], Random());
            Bytes = buffer[..length].ToArray();
        }

        public void Abandon()
        {
            WasOurs = writer._stream == stream;
            writer._stream = WasOurs ? null : writer._stream;
        }
    }
}
