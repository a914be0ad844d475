namespace Post.Quic.Engine;

/// <summary>
/// What a connection pushes, for layers that cannot wait to be asked. The methods are called one at a time, under the
/// connection's lock: whoever implements them takes note and returns; they must not block, throw or call the connection.
/// </summary>
public abstract class QuicConnectionEvents
{
    /// <summary>The handshake is complete.</summary>
    public virtual void OnHandshakeComplete()
    {
    }

    /// <summary>The server took or rejected the early data. What was rejected has failed and must be sent anew.</summary>
    /// <param name="accepted">It was taken.</param>
    public virtual void OnEarlyDataDecided(bool accepted)
    {
    }

    /// <summary>A datagram came. Without an override of this, <see cref="QuicConnection.ReceiveDatagramAsync"/> gives datagrams out.</summary>
    /// <param name="payload">Its bytes, valid during the call.</param>
    /// <param name="isEarlyData">It came in early data, so an attacker may have replayed it.</param>
    /// <param name="arrivedAt">
    /// When it reached the machine, as a timestamp of <see cref="QuicConnection.TimeProvider"/>: as the kernel says on Linux, when it was read
    /// elsewhere.
    /// </param>
    /// <returns>True: taken. False: queue it for <see cref="QuicConnection.ReceiveDatagramAsync"/>.</returns>
    public virtual bool OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt) => false;

    /// <summary>A datagram has a new state.</summary>
    /// <param name="token">The number given with it.</param>
    /// <param name="state">The state.</param>
    public virtual void OnDatagramState(long token, QuicDatagramState state)
    {
    }

    /// <summary>The largest datagram that can be sent changed.</summary>
    /// <param name="size">In bytes; 0: none.</param>
    public virtual void OnMaxDatagramSizeChanged(int size)
    {
    }

    /// <summary>The peer acknowledged a stream's end, or its reset: nothing can go wrong on the sending side any more.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="wasReset">It was reset, not finished.</param>
    public virtual void OnStreamSendSettled(QuicStream stream, bool wasReset)
    {
    }

    /// <summary>The peer asked to stop sending; the stream was reset with its code.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="errorCode">The peer's code.</param>
    public virtual void OnStreamStopped(QuicStream stream, long errorCode)
    {
    }

    /// <summary>Something happened to a path. The calls come in the order in which it happened.</summary>
    /// <param name="path">The path, as it was right after that and before anything else.</param>
    /// <param name="change">What happened.</param>
    public virtual void OnPathChanged(QuicPath path, QuicPathChange change)
    {
    }

    /// <summary>Client: the session can be resumed with this.</summary>
    /// <param name="ticket">Secret: whoever has it can resume in our name.</param>
    public virtual void OnSessionTicket(QuicSessionTicket ticket)
    {
    }

    /// <summary>The connection has ended; the last event of all.</summary>
    /// <param name="reason">Why.</param>
    public virtual void OnClosed(QuicException reason)
    {
    }
}
