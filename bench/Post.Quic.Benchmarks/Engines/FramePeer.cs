using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net.Security;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>
/// What one writes to send objects without QUIC: frames on one TLS connection, large objects in turns of 16 KiB, small frames
/// gathered while the connection is busy. There are no receipts, lifetimes or priorities; what is lost holds up all that follows.
/// </summary>
internal sealed class FramePeer : ObjectPeer
{
    private const int HeaderLength = 9;
    private const int MaxPiece = 16 * 1024;
    private const int MaxWaiting = 1 << 20;

    private readonly SslStream _stream;
    private readonly Pipe _outbound = new(new PipeOptions(
        pauseWriterThreshold: MaxWaiting, resumeWriterThreshold: MaxWaiting / 2, useSynchronizationContext: false));

    private readonly SemaphoreSlim _turn = new(1);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _nextNumber = -1;

    public FramePeer(SslStream stream)
    {
        _stream = stream;
        _ = WriteAsync();
    }

    public override Task Ended => _ended.Task;

    public override Exception? Error => null;

    public override bool HasDatagrams => false;

    public override bool IsResumed => false;

    public override ValueTask SendAsync(
        ReadOnlyMemory<byte> bytes, ObjectProperties properties, CancellationToken cancellationToken) =>
        SendPieceAsync(Interlocked.Increment(ref _nextNumber), bytes, isLast: true, cancellationToken);

    public override async Task SendAsync(Stream source, ObjectProperties properties, CancellationToken cancellationToken)
    {
        int number = Interlocked.Increment(ref _nextNumber);
        await Task.Yield();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxPiece);
        try
        {
            int count;
            do
            {
                count = await source.ReadAtLeastAsync(buffer.AsMemory(0, MaxPiece), MaxPiece, false, cancellationToken);
                await SendPieceAsync(number, buffer.AsMemory(0, count), count < MaxPiece, cancellationToken);
            }
            while (count == MaxPiece);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public override void Receive(ObjectHandler handler) => _ = ReadAsync(handler);

    public override Task<long> SettleAsync(CancellationToken cancellationToken) => Task.FromResult(0L);

    public override async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _ended.TrySetResult();
        _outbound.Reader.CancelPendingRead();
    }

    private async ValueTask SendPieceAsync(
        int number, ReadOnlyMemory<byte> piece, bool isLast, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            Span<byte> frame = _outbound.Writer.GetSpan(HeaderLength + piece.Length);
            BinaryPrimitives.WriteInt32BigEndian(frame, number);
            BinaryPrimitives.WriteInt32BigEndian(frame[4..], piece.Length);
            frame[8] = isLast ? (byte)1 : (byte)0;
            piece.Span.CopyTo(frame[HeaderLength..]);
            _outbound.Writer.Advance(HeaderLength + piece.Length);
            await _outbound.Writer.FlushAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            while (true)
            {
                ReadResult result = await _outbound.Reader.ReadAsync();
                if (result.IsCanceled)
                {
                    return;
                }

                foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                {
                    await _stream.WriteAsync(segment);
                }

                _outbound.Reader.AdvanceTo(result.Buffer.End);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection is over.
        }
        finally
        {
            _ended.TrySetResult();
            await _outbound.Reader.CompleteAsync();
        }
    }

    private async Task ReadAsync(ObjectHandler handler)
    {
        PipeReader reader = PipeReader.Create(
            _stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, minimumReadSize: MaxPiece, leaveOpen: true));
        try
        {
            while (true)
            {
                ReadResult result = await reader.ReadAsync();
                ReadOnlySequence<byte> buffer = result.Buffer;
                while (TryTakeFrame(ref buffer, handler))
                {
                }

                reader.AdvanceTo(buffer.Start, buffer.End);
                if (result.IsCompleted)
                {
                    return;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The connection is over.
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    private static bool TryTakeFrame(ref ReadOnlySequence<byte> buffer, ObjectHandler handler)
    {
        if (buffer.Length < HeaderLength)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderLength];
        buffer.Slice(0, HeaderLength).CopyTo(header);
        int length = BinaryPrimitives.ReadInt32BigEndian(header[4..]);
        if (buffer.Length < HeaderLength + length)
        {
            return false;
        }

        ReadOnlySequence<byte> piece = buffer.Slice(HeaderLength, length);
        long number = BinaryPrimitives.ReadInt32BigEndian(header);
        handler(number, piece.IsSingleSegment ? piece.FirstSpan : piece.ToArray(), header[8] != 0);
        buffer = buffer.Slice(piece.End);
        return true;
    }
}
