using System.Security.Cryptography;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations;

/// <summary>Writes our control stream: HELLO first, then whatever <see cref="PendingFrames"/> has. Run by the association's pump.</summary>
internal sealed class ControlWriter(AssociationCore core)
{
    private readonly byte[] _buffer = new byte[2 * ProtocolLimits.MaxFrameLength];
    private TransportStream? _stream;
    private bool _isWriting;
    private bool _shallEnd;
    private bool _isEnded;

    /// <summary>Nothing waits to be written, and nothing is being written. Under the lock.</summary>
    public bool IsIdle => !_isWriting && core.Frames.IsEmpty;

    /// <summary>Our control stream.</summary>
    public TransportStream? Stream => _stream;

    /// <summary>Ends the stream once all is written, so that its acknowledgement says that the peer has every receipt. Under the lock.</summary>
    public void EndWhenIdle() => _shallEnd = true;

    /// <summary>Opens the stream and writes HELLO.</summary>
    public async ValueTask OpenAsync(HelloFrame hello, CancellationToken cancellationToken)
    {
        _stream = await core.Connection
            .OpenStreamAsync(TransportStreamKind.Unidirectional, TransportPriority.Control, cancellationToken)
            .ConfigureAwait(false);
        var length = PostInteger.Write(_buffer, StreamType.Control);
        length += hello.Write(_buffer.AsSpan(length), Random());
        length += ControlFrame.WriteGrease(_buffer.AsSpan(length), Random());
        lock (core.Gate)
        {
            _isWriting = true;
        }

        Finish(await _stream.WriteAsync(_buffer.AsMemory(0, length), false, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Writes what is due.</summary>
    public void Run()
    {
        int length;
        bool isEnd;
        lock (core.Gate)
        {
            isEnd = _shallEnd && !_isEnded;
            if (_stream is null || _isWriting || core.IsClosed || _isEnded || !(core.Frames.IsDue || isEnd))
            {
                return;
            }

            length = core.Frames.Write(_buffer);
            isEnd &= core.Frames.IsEmpty;
            _isWriting = true;
            _isEnded = isEnd;
        }

        _ = WriteAsync(length, isEnd);
    }

    private static ulong Random()
    {
        Span<byte> bytes = stackalloc byte[8];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt64(bytes);
    }

    private async Task WriteAsync(int length, bool isEnd)
    {
        try
        {
            Finish(await _stream!.WriteAsync(_buffer.AsMemory(0, length), isEnd, CancellationToken.None).ConfigureAwait(false));
        }
        catch (Exception exception) when (exception is TransportException or ObjectDisposedException)
        {
            // The connection ended; its event is on the way.
        }
    }

    private void Finish(TransportWriteResult result)
    {
        lock (core.Gate)
        {
            _isWriting = false;
        }

        if (result.IsStopped && !core.IsClosed)
        {
            core.Violate(PostErrorCode.ControlStreamError, "the peer stopped our control stream");
        }

        core.Wake();
    }
}
