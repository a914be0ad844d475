namespace Post.Sockets.Transport;

/// <summary>
/// What a connection pushes. The methods are called from any thread, maybe while the transport holds a lock: whoever
/// implements them takes note, queues work elsewhere, and returns; they never block, throw, or call the transport back.
/// </summary>
public abstract class TransportEvents
{
    /// <summary>A datagram came.</summary>
    /// <param name="payload">Its bytes, valid during the call.</param>
    /// <param name="isEarlyData">True when an attacker may have replayed it.</param>
    /// <param name="arrivedAt">
    /// When it reached the machine, as a timestamp of <see cref="PostTransport.TimeProvider"/>; where that is not known, when it was read.
    /// </param>
    public virtual void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt)
    {
    }

    /// <summary>Something became of a datagram.</summary>
    /// <param name="token">The number given to <see cref="TransportConnection.TrySendDatagram"/>.</param>
    /// <param name="state">What became of it.</param>
    public virtual void OnDatagramState(long token, TransportDatagramState state)
    {
    }

    /// <summary>The largest datagram changed.</summary>
    /// <param name="maxDatagramSize">The new size; 0 when there are none now.</param>
    public virtual void OnMaxDatagramSizeChanged(int maxDatagramSize)
    {
    }

    /// <summary>The peer's transport acknowledged all of a stream, including its end.</summary>
    /// <param name="stream">The stream, one that this side wrote.</param>
    public virtual void OnStreamAcknowledged(TransportStream stream)
    {
    }

    /// <summary>The peer asked us to stop sending on a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="errorCode">Its code.</param>
    public virtual void OnStreamStopped(TransportStream stream, long errorCode)
    {
    }

    /// <summary>A path came, changed or went.</summary>
    /// <param name="path">The path as it is now.</param>
    /// <param name="change">What happened.</param>
    public virtual void OnPathChanged(PostPath path, PostPathChange change)
    {
    }

    /// <summary>The handshake is complete: the peer's identity is known and early data was accepted or not.</summary>
    public virtual void OnHandshakeCompleted()
    {
    }

    /// <summary>
    /// The server did not take the early data: all streams and datagrams from before
    /// <see cref="OnHandshakeCompleted"/> are void and fail (<see cref="TransportErrorReason.EarlyDataRejected"/>), maybe
    /// before this call, but no stream is opened in between; whoever wants their bytes sent opens new ones. On the client, once at most.
    /// </summary>
    public virtual void OnEarlyDataRejected()
    {
    }

    /// <summary>The connection ended; the last event of all.</summary>
    /// <param name="reason">Why; <see cref="TransportErrorReason.ClosedLocally"/> after our own close.</param>
    public virtual void OnClosed(TransportException reason)
    {
    }
}
