using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>One end of a stream of the in-memory network.</summary>
internal sealed class InMemoryStream : TransportStream
{
    private readonly InMemoryConnection _connection;
    private bool _unlinked;

    public InMemoryStream(
        InMemoryConnection connection, long id, TransportStreamKind kind, bool isLocal, bool isEarlyData, in TransportPriority priority)
    {
        _connection = connection;
        Id = id;
        Kind = kind;
        IsLocal = isLocal;
        IsEarlyData = isEarlyData;
        bool bidirectional = kind == TransportStreamKind.Bidirectional;
        if (isLocal || bidirectional)
        {
            Send = new InMemorySendHalf(this, connection.Sender, priority, connection.PeerLimits.StreamReceiveWindow);
        }

        if (!isLocal || bidirectional)
        {
            Receive = new InMemoryReceiveHalf(this, connection, connection.Limits.StreamReceiveWindow);
        }
    }

    public override long Id { get; }

    public override TransportStreamKind Kind { get; }

    public override bool IsLocal { get; }

    public override bool IsEarlyData { get; }

    public override long? ArrivedAt => Receive?.ArrivedAt;

    public InMemorySendHalf? Send { get; }

    public InMemoryReceiveHalf? Receive { get; }

    /// <summary>What its user calls it, where it was sent whole in one call.</summary>
    public long? Token { get; set; }

    /// <summary>The other end, once its transport has heard of the stream.</summary>
    public InMemoryStream? Peer { get; set; }

    public InMemoryStream? Previous { get; set; }

    public InMemoryStream? Next { get; set; }

    public override ValueTask<TransportWriteResult> WriteAsync(
        ReadOnlyMemory<byte> buffer,
        bool endOfStream,
        CancellationToken cancellationToken)
    {
        if (Send is null)
        {
            throw new InvalidOperationException("The peer opened this unidirectional stream; it can only be read.");
        }

        lock (_connection.Network.Gate)
        {
            return Send.WriteAsync(buffer, endOfStream, cancellationToken);
        }
    }

    public override ValueTask<TransportReadResult> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (Receive is null)
        {
            throw new InvalidOperationException("This side opened this unidirectional stream; it can only be written.");
        }

        lock (_connection.Network.Gate)
        {
            return Receive.ReadAsync(buffer, cancellationToken);
        }
    }

    public override void Reset(long errorCode, long reliableSize = 0)
    {
        lock (_connection.Network.Gate)
        {
            Send?.Reset(errorCode, reliableSize);
        }
    }

    public override void StopReading(long errorCode)
    {
        lock (_connection.Network.Gate)
        {
            StopUnderLock(errorCode);
        }
    }

    public override void SetPriority(in TransportPriority priority)
    {
        lock (_connection.Network.Gate)
        {
            Send?.SetPriority(priority);
        }
    }

    public override ValueTask DisposeAsync()
    {
        lock (_connection.Network.Gate)
        {
            if (Send is { IsFinishedByUser: false })
            {
                Send.Reset(0, 0);
            }

            if (Receive is { IsDone: false })
            {
                StopUnderLock(0);
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>One of the halves is done; when both are, the stream is.</summary>
    public void OnHalfDone()
    {
        if (!_unlinked && Send is null or { IsDone: true } && Receive is null or { IsDone: true })
        {
            _unlinked = true;
            _connection.Streams.Remove(this);
        }
    }

    private void StopUnderLock(long errorCode)
    {
        if (Receive is not null && Receive.Stop() && _connection.Failure is null)
        {
            // The peer's end exists, unless this side opened the stream and nothing of it was sent yet.
            InMemorySendHalf? other = Peer?.Send;
            if (other is not null)
            {
                _connection.Tell(new LinkMessage(LinkMessageKind.Stop, other, errorCode));
            }
        }
    }
}
