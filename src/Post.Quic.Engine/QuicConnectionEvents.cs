namespace Post.Quic.Engine;

/// <summary>
/// What a connection pushes, for layers that cannot wait to be asked. The methods are called one at a time and with no lock of the
/// connection held, on the thread that read the packet or did what brought the event about: so they may call the connection back, also from
/// inside of a call of their own. They must not block, as the thread serves others too, nor throw, which ends the connection.
/// </summary>
/// <remarks>
/// Events are told a little after they happened, in the order in which they happened; what the connection says when asked can be newer.
/// </remarks>
public abstract class QuicConnectionEvents
{
    /// <summary>The handshake is complete.</summary>
    public virtual void OnHandshakeComplete()
    {
    }

    /// <summary>
    /// The server took or rejected the early data. What was rejected has failed and must be sent anew; of streams sent with
    /// <see cref="QuicConnection.TrySendStream"/> until then nothing more is heard.
    /// </summary>
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
    /// <remarks>While 1 MiB of events waits for a listener that does not return, further datagrams are dropped.</remarks>
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

    /// <summary>All bytes of a stream that <see cref="QuicConnection.TrySendStream"/> took have left for the first time.</summary>
    /// <param name="token">The number given with it.</param>
    public virtual void OnStreamSent(long token)
    {
    }

    /// <summary>The peer acknowledged all of a stream that <see cref="QuicConnection.TrySendStream"/> took; its token is free again.</summary>
    /// <param name="token">The number given with it.</param>
    public virtual void OnSentStreamAcknowledged(long token)
    {
    }

    /// <summary>The peer asked to stop a stream that <see cref="QuicConnection.TrySendStream"/> took; it was reset with the peer's code.</summary>
    /// <param name="token">The number given with it.</param>
    /// <param name="errorCode">The peer's code.</param>
    public virtual void OnSentStreamStopped(long token, long errorCode)
    {
    }

    /// <summary>
    /// A whole unidirectional stream of the peer came, with its end; only after <see cref="QuicConnection.PushInboundStreams"/>. No stream
    /// object stands for it.
    /// </summary>
    /// <param name="streamId">Its id. Streams come as they arrive, which need not be in the order of their ids.</param>
    /// <param name="bytes">All of its bytes, valid during the call.</param>
    /// <param name="isEarlyData">It came in early data, so an attacker may have replayed it.</param>
    /// <param name="arrivedAt">When its last bytes reached the machine, as with <see cref="OnDatagramReceived"/>.</param>
    /// <returns>
    /// True: taken; the stream counts as read and disposed. False: it comes again with <see cref="OnStreamAccepted"/>, and counts against the
    /// peer's limits until it is read and disposed.
    /// </returns>
    public virtual bool OnStreamReceived(long streamId, ReadOnlySpan<byte> bytes, bool isEarlyData, long arrivedAt) => false;

    /// <summary>
    /// A stream of the peer came that is not whole yet, or not small, or bidirectional; only after
    /// <see cref="QuicConnection.PushInboundStreams"/>. It counts against the peer's limit until it is disposed.
    /// </summary>
    /// <param name="stream">The stream, which belongs to the listener from now on.</param>
    public virtual void OnStreamAccepted(QuicStream stream)
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

    /// <summary>
    /// The events that were to be told were told, such as those of all packets that were read at once: what the listener gives to be sent
    /// until it returns goes out together.
    /// </summary>
    public virtual void OnEventsDrained()
    {
    }

    /// <summary>The connection has ended; the last event of all but for <see cref="OnEventsDrained"/>.</summary>
    /// <param name="reason">Why.</param>
    public virtual void OnClosed(QuicException reason)
    {
    }
}
