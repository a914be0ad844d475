namespace Post.Sockets.Transport;

/// <summary>
/// What a connection pushes. The methods are called with no lock of the transport held, one at a time for a connection, and on the thread that
/// read the packet or was told. An implementation may call the transport back from inside them; it does not block and does not throw.
/// </summary>
/// <remarks>
/// A transport that raises several events for what came at one time calls <see cref="OnEventsDrained"/> after the last of them. One that
/// calls it once calls it after every batch, a single event included.
/// </remarks>
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

    /// <summary>
    /// The peer opened a stream. It counts against the peer's limit on streams until it is disposed, so a listener that reads it late slows
    /// the peer down. Raised instead of an answer to <see cref="TransportConnection.AcceptStreamAsync"/>.
    /// </summary>
    /// <param name="stream">The stream; the listener disposes it.</param>
    public virtual void OnStreamAccepted(TransportStream stream)
    {
    }

    /// <summary>
    /// A whole unidirectional stream of the peer came at once, with its end. Only with <see cref="TransportCapabilities.WholeStreams"/>.
    /// </summary>
    /// <param name="streamId">The number of the stream.</param>
    /// <param name="bytes">All of its bytes, valid during the call.</param>
    /// <param name="isEarlyData">True when an attacker may have replayed it.</param>
    /// <param name="arrivedAt">
    /// When it reached the machine, as a timestamp of <see cref="PostTransport.TimeProvider"/>; where that is not known, when it was read.
    /// </param>
    /// <returns>
    /// True when the bytes are taken: they count as read, and the stream as disposed. False when they cannot be taken now or not this way: the
    /// transport keeps them and raises <see cref="OnStreamAccepted"/>, so that the limits on streams and bytes slow the peer down.
    /// </returns>
    public virtual bool OnStreamReceived(long streamId, ReadOnlySpan<byte> bytes, bool isEarlyData, long arrivedAt) => false;

    /// <summary>All bytes of a stream that <see cref="TransportConnection.TrySendStream"/> sent have left for the first time.</summary>
    /// <param name="token">The number given to it.</param>
    public virtual void OnStreamSent(long token)
    {
    }

    /// <summary>The peer's transport has all of a stream that <see cref="TransportConnection.TrySendStream"/> sent.</summary>
    /// <param name="token">The number given to it; it is not used again.</param>
    public virtual void OnSentStreamAcknowledged(long token)
    {
    }

    /// <summary>
    /// The peer asked to stop sending a stream that <see cref="TransportConnection.TrySendStream"/> sent; the transport has reset it.
    /// </summary>
    /// <param name="token">The number given to it; it is not used again.</param>
    /// <param name="errorCode">The peer's code.</param>
    public virtual void OnSentStreamStopped(long token, long errorCode)
    {
    }

    /// <summary>The events that came at one time have all been raised: what they lead to can be done at once.</summary>
    public virtual void OnEventsDrained()
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
    /// before this call, but no stream is opened in between; to send their bytes, open new ones. On the client, once at most.
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
