using System.Net.Quic;
using System.Runtime.Versioning;
using Post.Quic.SystemNetQuic.Extras;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic;

/// <summary>A stream of System.Net.Quic behind the seam.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed class SystemNetQuicStream : TransportStream
{
    private readonly SystemNetQuicConnection _connection;
    private readonly QuicStream _stream;
    private ushort _rank = StreamRank.Default;

    public SystemNetQuicStream(SystemNetQuicConnection connection, QuicStream stream, bool isLocal)
    {
        _connection = connection;
        _stream = stream;
        IsLocal = isLocal;
        if (stream.CanWrite)
        {
            // The end of the sending side is the peer's acknowledgement of all, or its STOP_SENDING: both are news for Post.
            stream.WritesClosed.ContinueWith(
                static (closed, state) => ((SystemNetQuicStream)state!).OnWritesClosed(closed),
                this,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    public override long Id => _stream.Id;

    public override TransportStreamKind Kind =>
        _stream.Type == QuicStreamType.Bidirectional ? TransportStreamKind.Bidirectional : TransportStreamKind.Unidirectional;

    public override bool IsLocal { get; }

    public override async ValueTask<TransportWriteResult> WriteAsync(
        ReadOnlyMemory<byte> buffer,
        bool endOfStream,
        CancellationToken cancellationToken)
    {
        try
        {
            await _stream.WriteAsync(buffer, endOfStream, cancellationToken).ConfigureAwait(false);
            return TransportWriteResult.Taken;
        }
        catch (QuicException exception) when (QuicErrors.IsStreamFailure(exception))
        {
            return _connection.IsClosed
                ? throw _connection.ClosedReason
                : TransportWriteResult.Stopped(exception.ApplicationErrorCode ?? 0);
        }
        catch (Exception exception) when (QuicErrors.IsFailure(exception))
        {
            throw _connection.Fail(exception);
        }
    }

    public override async ValueTask<TransportReadResult> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            int count = await _stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            return count == 0 || _stream.ReadsClosed.IsCompletedSuccessfully
                ? TransportReadResult.Completed(count)
                : TransportReadResult.Data(count);
        }
        catch (QuicException exception) when (QuicErrors.IsStreamFailure(exception))
        {
            return _connection.IsClosed
                ? throw _connection.ClosedReason
                : TransportReadResult.Reset(exception.ApplicationErrorCode ?? 0);
        }
        catch (Exception exception) when (QuicErrors.IsFailure(exception))
        {
            throw _connection.Fail(exception);
        }
    }

    public override void Reset(long errorCode, long reliableSize = 0) => Abort(QuicAbortDirection.Write, errorCode);

    public override void StopReading(long errorCode) => Abort(QuicAbortDirection.Read, errorCode);

    public override void SetPriority(in TransportPriority priority)
    {
        // Without the extras there are no priorities before .NET 11, and Capabilities says so.
        ushort rank = _connection.RankOf(priority);
        if (rank != _rank)
        {
            _rank = rank;
            _connection.Extras?.SetStreamRank(QuicInternals.HandleOf(_stream), rank);
        }
    }

    public override ValueTask DisposeAsync() => _stream.DisposeAsync();

    private void Abort(QuicAbortDirection direction, long errorCode)
    {
        try
        {
            _stream.Abort(direction, errorCode);
        }
        catch (Exception exception) when (exception is ObjectDisposedException or InvalidOperationException)
        {
            // The stream has ended by itself: there is nothing left to abort.
        }
    }

    private void OnWritesClosed(Task closed)
    {
        if (closed.IsCompletedSuccessfully)
        {
            _connection.Events?.OnStreamAcknowledged(this);
        }
        else if (closed.Exception?.InnerException is QuicException { QuicError: QuicError.StreamAborted } stopped)
        {
            _connection.Events?.OnStreamStopped(this, stopped.ApplicationErrorCode ?? 0);
        }
    }
}
