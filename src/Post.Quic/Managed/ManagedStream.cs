using System.Runtime.CompilerServices;
using Post.Quic.Engine;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>A stream of the managed engine behind the seam.</summary>
internal sealed class ManagedStream : TransportStream
{
    private readonly QuicStream _stream;

    public ManagedStream(QuicStream stream)
    {
        _stream = stream;
        stream.State = this;
    }

    public override long Id => _stream.Id;

    public override TransportStreamKind Kind =>
        _stream.Type == QuicStreamType.Bidirectional ? TransportStreamKind.Bidirectional : TransportStreamKind.Unidirectional;

    public override bool IsLocal => _stream.IsLocal;

    public override bool IsEarlyData => _stream.IsEarlyData;

    public override long? ArrivedAt => _stream.ArrivedAt is > 0 and var arrivedAt ? arrivedAt : null;

    /// <summary>Ranks begin at 0 in the engine; Post's control stream stands before them all, at -1.</summary>
    public static QuicPriority Translate(in TransportPriority priority) => new(
        priority.Niceness == int.MaxValue ? int.MaxValue : priority.Niceness + 1,
        priority.Deadline == TransportPriority.NoDeadline ? null : priority.Deadline)
    {
        IsRepair = priority.IsRepair,
    };

    public override ValueTask<TransportWriteResult> WriteAsync(
        ReadOnlyMemory<byte> buffer,
        bool endOfStream,
        CancellationToken cancellationToken)
    {
        try
        {
            ValueTask writing = _stream.WriteAsync(buffer, endOfStream, cancellationToken);
            if (!writing.IsCompletedSuccessfully)
            {
                return FinishWriteAsync(writing);
            }

#pragma warning disable CA1849 // It has completed: this gives its source back and blocks nothing.
            writing.GetAwaiter().GetResult();
#pragma warning restore CA1849
            return new ValueTask<TransportWriteResult>(TransportWriteResult.Taken);
        }
        catch (Exception exception) when (exception is QuicException or ObjectDisposedException)
        {
            return ValueTask.FromException<TransportWriteResult>(ManagedQuicErrors.Translate(exception));
        }
    }

    public override ValueTask<TransportReadResult> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            ValueTask<int> reading = _stream.ReadAsync(buffer, cancellationToken);
            return reading.IsCompletedSuccessfully
                ? new ValueTask<TransportReadResult>(ResultOf(reading.GetAwaiter().GetResult()))
                : FinishReadAsync(reading);
        }
        catch (Exception exception) when (exception is QuicException or ObjectDisposedException)
        {
            return ValueTask.FromException<TransportReadResult>(ManagedQuicErrors.Translate(exception));
        }
    }

    public override void Reset(long errorCode, long reliableSize = 0) =>
        _stream.Abort(QuicAbortDirection.Write, errorCode, reliableSize);

    public override void StopReading(long errorCode) => _stream.Abort(QuicAbortDirection.Read, errorCode);

    public override void SetPriority(in TransportPriority priority) => _stream.SetPriority(Translate(priority));

    public override ValueTask DisposeAsync() => _stream.DisposeAsync();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<TransportWriteResult> FinishWriteAsync(ValueTask writing)
    {
        try
        {
            await writing.ConfigureAwait(false);
            return TransportWriteResult.Taken;
        }
        catch (QuicException exception) when (ManagedQuicErrors.IsStreamFailure(exception) || IsOurAbort(exception))
        {
            return TransportWriteResult.Stopped(exception.ApplicationErrorCode ?? 0);
        }
        catch (Exception exception) when (exception is QuicException or ObjectDisposedException)
        {
            throw ManagedQuicErrors.Translate(exception);
        }
    }

    // The connection's own end bears its code or none; a stream that was given up on this side says so.
    private static bool IsOurAbort(QuicException exception) =>
        exception is { QuicError: QuicError.OperationAborted, ApplicationErrorCode: null };

    private TransportReadResult ResultOf(int count) =>
        count == 0 || _stream.IsReadCompleted ? TransportReadResult.Completed(count) : TransportReadResult.Data(count);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<TransportReadResult> FinishReadAsync(ValueTask<int> reading)
    {
        try
        {
            return ResultOf(await reading.ConfigureAwait(false));
        }
        catch (QuicException exception) when (ManagedQuicErrors.IsStreamFailure(exception) || IsOurAbort(exception))
        {
            return TransportReadResult.Reset(exception.ApplicationErrorCode ?? 0);
        }
        catch (Exception exception) when (exception is QuicException or ObjectDisposedException)
        {
            throw ManagedQuicErrors.Translate(exception);
        }
    }
}
