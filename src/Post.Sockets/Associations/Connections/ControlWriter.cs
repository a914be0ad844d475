using System.Security.Cryptography;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>Writes our control stream: HELLO first, then whatever <see cref="PendingFrames"/> has. Run by the association's pump.</summary>
internal sealed class ControlWriter(Carrier carrier)
{
    private readonly byte[] _buffer = new byte[2 * ProtocolLimits.MaxFrameLength];
    private TransportStream? _stream;
    private bool _isWriting;
    private bool _shallEnd;
    private bool _isEnded;

    /// <summary>Our control stream.</summary>
    public TransportStream? Stream => _stream;

    /// <summary>Ends the stream once all is written, so that its acknowledgement says that the peer has every receipt. Under the lock.</summary>
    public void EndWhenIdle() => _shallEnd = true;

    /// <summary>
    /// The server did not take the early data, and our stream with it. True when it has to be opened again; where it is just being
    /// opened, that goes on. Under the lock.
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

    /// <summary>Writes what is due.</summary>
    public void Run()
    {
        TransportStream stream;
        int length;
        bool isEnd;
        var core = carrier.Core!;
        lock (core.Gate)
        {
            isEnd = _shallEnd && !_isEnded;
            if (_stream is null || _isWriting || core.IsClosed || _isEnded || !(carrier.Frames.IsDue || isEnd))
            {
                return;
            }

            stream = _stream;
            length = carrier.Frames.Write(_buffer);
            isEnd &= carrier.Frames.IsEmpty;
            _isWriting = true;
            _isEnded = isEnd;
        }

        _ = WriteAsync(stream, length, isEnd);
    }

    private async ValueTask<bool> TryOpenAsync(HelloFrame hello, CancellationToken cancellationToken)
    {
        var stream = await carrier.Connection
            .OpenStreamAsync(TransportStreamKind.Unidirectional, TransportPriority.Control, cancellationToken)
            .ConfigureAwait(false);
        var length = PostInteger.Write(_buffer, StreamType.Control);
        length += hello.Write(_buffer.AsSpan(length), Random());
        lock (carrier.Core!.Gate)
        {
            // Nothing goes before HELLO. What the clock shows follows at once: the objects may be repeated before they arrive.
            _isWriting = true;
            _stream = stream;
            length += carrier.Frames.WriteClock(_buffer.AsSpan(length));
        }

        length += ControlFrame.WriteGrease(_buffer.AsSpan(length), Random());
        try
        {
            Finish(stream, await stream.WriteAsync(_buffer.AsMemory(0, length), false, cancellationToken).ConfigureAwait(false));
            return true;
        }
        catch (TransportException exception) when (exception.Reason == TransportErrorReason.EarlyDataRejected)
        {
            lock (carrier.Core!.Gate)
            {
                // Who was told of the rejection before us opens it again already.
                var isOurs = _stream == stream;
                _stream = isOurs ? null : _stream;
                return !isOurs;
            }
        }
    }

    private static ulong Random()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt64(bytes);
    }

    private async Task WriteAsync(TransportStream stream, int length, bool isEnd)
    {
        try
        {
            Finish(stream, await stream.WriteAsync(_buffer.AsMemory(0, length), isEnd, CancellationToken.None).ConfigureAwait(false));
        }
        catch (Exception exception) when (exception is TransportException or ObjectDisposedException)
        {
            // The connection ended, or the early data is void; the event of it is on the way.
        }
    }

    private void Finish(TransportStream stream, TransportWriteResult result)
    {
        var core = carrier.Core!;
        lock (core.Gate)
        {
            if (stream != _stream)
            {
                return;
            }

            _isWriting = false;
        }

        if (result.IsStopped && !core.IsClosed)
        {
            carrier.Violate(PostErrorCode.ControlStreamError, "the peer stopped our control stream");
        }

        core.Wake();
    }
}
