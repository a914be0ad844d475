using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Seam;

internal class GuardedStream : TransportStream
{
    private readonly TransportStream _inner;
    private readonly SeamGuard _guard;

    private GuardedStream(TransportStream inner, SeamGuard guard)
    {
        _inner = inner;
        _guard = guard;
    }

    /// <summary>Another in front of the same stream, for a subclass.</summary>
    protected GuardedStream(GuardedStream other)
    {
        _inner = other._inner;
        _guard = other._guard;
    }

    public override long Id
    {
        get
        {
            _guard.Check("Stream.Id");
            return _inner.Id;
        }
    }

    public override TransportStreamKind Kind
    {
        get
        {
            _guard.Check("Stream.Kind");
            return _inner.Kind;
        }
    }

    public override bool IsLocal
    {
        get
        {
            _guard.Check("Stream.IsLocal");
            return _inner.IsLocal;
        }
    }

    public override bool IsEarlyData
    {
        get
        {
            _guard.Check("Stream.IsEarlyData");
            return _inner.IsEarlyData;
        }
    }

    public override long? ArrivedAt
    {
        get
        {
            _guard.Check("Stream.ArrivedAt");
            return _inner.ArrivedAt;
        }
    }

    /// <summary>The one guarded stream in front of a stream: an event may come before whoever opened it has it.</summary>
    public static GuardedStream Of(TransportStream inner, SeamGuard guard)
    {
        lock (inner)
        {
            var stream = inner.State as GuardedStream ?? new GuardedStream(inner, guard);
            inner.State = stream;
            return stream;
        }
    }

    public override ValueTask<TransportWriteResult> WriteAsync(
        ReadOnlyMemory<byte> buffer, bool endOfStream, CancellationToken cancellationToken)
    {
        _guard.Check("Stream.WriteAsync");
        return _inner.WriteAsync(buffer, endOfStream, cancellationToken);
    }

    public override ValueTask<TransportReadResult> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        _guard.Check("Stream.ReadAsync");
        return _inner.ReadAsync(buffer, cancellationToken);
    }

    public override void Reset(long errorCode, long reliableSize = 0)
    {
        _guard.Check("Stream.Reset");
        _inner.Reset(errorCode, reliableSize);
    }

    public override void StopReading(long errorCode)
    {
        _guard.Check("Stream.StopReading");
        _inner.StopReading(errorCode);
    }

    public override void SetPriority(in TransportPriority priority)
    {
        _guard.Check("Stream.SetPriority");
        _inner.SetPriority(priority);
    }

    public override ValueTask DisposeAsync()
    {
        _guard.Check("Stream.DisposeAsync");
        return _inner.DisposeAsync();
    }
}
