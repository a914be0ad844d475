using System.Net.Quic;
using System.Runtime.Versioning;
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
    private readonly IStreamRanking? _ranking;
    private Task? _arrival;
    private bool _isArrivalLeft;
    private volatile bool _isEndWritten;
    private volatile bool _isReset;

    public SystemNetQuicStream(SystemNetQuicConnection connection, QuicStream stream, bool isLocal)
    {
        _connection = connection;
        _stream = stream;
        IsLocal = isLocal;
        if (stream.CanWrite)
        {
            // Without the extras there are no priorities before .NET 11, and Capabilities says so.
            _ranking = connection.RankingOf(stream);

            // The end of the sending side is the peer's acknowledgement of all, or its STOP_SENDING: both are news for Post.
            using (ExecutionContext.SuppressFlow())
            {
                stream.WritesClosed.ContinueWith(
                    static (closed, state) => ((SystemNetQuicStream)state!).OnWritesClosed(closed),
                    this,
                    CancellationToken.None,
                    TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
            }
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
            if (_ranking is not null)
            {
                await _ranking.BeforeWriteAsync().ConfigureAwait(false);
            }

            await _stream.WriteAsync(buffer, endOfStream, cancellationToken).ConfigureAwait(false);
            if (_isReset)
            {
                // msquic may take what waited while it lets go of the rest.
                return TransportWriteResult.Stopped(0);
            }

            _isEndWritten |= endOfStream;
            return TransportWriteResult.Taken;
        }
        catch (Exception exception) when (QuicErrors.IsFailure(exception))
        {
            _connection.ThrowUnlessOfStream(exception);
            if (exception is QuicException { QuicError: QuicError.OperationAborted })
            {
                // System.Net.Quic resets the stream when its token fires, but does not always say that this was why.
                cancellationToken.ThrowIfCancellationRequested();
            }

            return TransportWriteResult.Stopped(QuicErrors.CodeOf(exception));
        }
    }

    public override async ValueTask<TransportReadResult> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            if (cancellationToken.CanBeCanceled || _arrival is not null)
            {
                await WaitForBytesAsync(cancellationToken).ConfigureAwait(false);
            }

            int count = await _stream.ReadAsync(buffer, CancellationToken.None).ConfigureAwait(false);
            return count == 0 || _stream.ReadsClosed.IsCompletedSuccessfully
                ? TransportReadResult.Completed(count)
                : TransportReadResult.Data(count);
        }
        catch (Exception exception) when (QuicErrors.IsFailure(exception))
        {
            _connection.ThrowUnlessOfStream(exception);
            return TransportReadResult.Reset(QuicErrors.CodeOf(exception));
        }
    }

    public override void Reset(long errorCode, long reliableSize = 0) => Abort(QuicAbortDirection.Write, errorCode);

    public override void StopReading(long errorCode) => Abort(QuicAbortDirection.Read, errorCode);

    public override void SetPriority(in TransportPriority priority) => _ranking?.Set(priority);

    public override ValueTask DisposeAsync()
    {
        // Left alone, System.Net.Quic ends in order what was not ended, and the peer takes a part for the whole.
        Abort(_isEndWritten ? QuicAbortDirection.Read : QuicAbortDirection.Both, 0);
        _ = ReleaseAsync();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Waits until there is something to read. System.Net.Quic gives up the whole stream for a read that is canceled
    /// (dotnet/runtime issue 72607), so it never sees the token: what waits is a read of no bytes, which completes when there are some
    /// and takes none. A wait that is canceled is left behind for the next read, and no bytes are copied or kept for it.
    /// </summary>
    private async ValueTask WaitForBytesAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // Twice: the notice of bytes may come after a read has taken them, and would then complete a wait for nothing. It is one
        // notice at most, since msquic reports on a stream one event after the other.
        for (int wait = 0; wait < 2; wait++)
        {
            if (_arrival is null)
            {
                ValueTask<int> arrival = _stream.ReadAsync(Memory<byte>.Empty, CancellationToken.None);
                if (arrival.IsCompletedSuccessfully)
                {
                    await arrival.ConfigureAwait(false);
                    continue;
                }

                _arrival = arrival.AsTask();
            }

            try
            {
                await _arrival.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                LeaveArrival(_arrival);
                throw;
            }

            _arrival = null;
            _isArrivalLeft = false;
        }
    }

    private void LeaveArrival(Task arrival)
    {
        if (!_isArrivalLeft)
        {
            // There may be no other read.
            _isArrivalLeft = true;
            arrival.ContinueWith(
                static task => _ = task.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    private void Abort(QuicAbortDirection direction, long errorCode)
    {
        _isReset |= direction.HasFlag(QuicAbortDirection.Write);
        try
        {
            _stream.Abort(direction, errorCode);
        }
        catch (Exception exception) when (exception is ObjectDisposedException or InvalidOperationException or QuicException)
        {
            // The stream, or its connection, has ended by itself: there is nothing left to abort.
        }
    }

    /// <summary>Waits for the peer, as System.Net.Quic does: until all is acknowledged, or the connection is over.</summary>
    private async Task ReleaseAsync()
    {
        try
        {
            await _stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (QuicErrors.IsFailure(exception))
        {
            // The connection ended meanwhile, which gives back all of its streams.
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
