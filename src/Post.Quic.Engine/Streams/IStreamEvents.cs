namespace Post.Quic.Engine.Streams;

/// <summary>
/// What a <see cref="StreamTable"/> tells the layer above. Called inside the connection's gate; the receiver may call
/// back into the stream it is told about.
/// </summary>
internal interface IStreamEvents
{
    /// <summary>Data, the end, or a reset can be read.</summary>
    void OnStreamReadable(StreamState stream);

    /// <summary>A write that was taken in part can go on.</summary>
    void OnStreamWritable(StreamState stream);

    /// <summary>Everything that was written has been sent once: whoever asked for it with <see cref="StreamState.AwaitSent"/> is told.</summary>
    void OnStreamSent(StreamState stream);

    /// <summary>The peer acknowledged everything up to the end, or the reset: nothing more will happen on the sending side.</summary>
    void OnStreamSendSettled(StreamState stream);

    /// <summary>The peer asked us to stop; the stream has been reset with its code.</summary>
    void OnStopSending(StreamState stream, ulong errorCode);

    /// <summary>Both directions are over and the table has forgotten the stream.</summary>
    void OnStreamClosed(StreamState stream);

    /// <summary>0-RTT was rejected: what the stream did never happened (RFC 9001 section 4.6.2).</summary>
    void OnStreamRejected(StreamState stream);

    /// <summary>The peer opened streams: <see cref="StreamTable.TryAccept"/> gives them out.</summary>
    void OnStreamsToAccept(bool bidirectional);

    /// <summary>The peer allows more streams: <see cref="StreamTable.TryOpen"/> may succeed again.</summary>
    void OnStreamCredit(bool bidirectional);

    /// <summary>A stream that was sent as a whole has left, with its end, for the first time.</summary>
    void OnWholeStreamSent(long token);

    /// <summary>The peer acknowledged all of a stream that was sent as a whole.</summary>
    void OnWholeStreamAcknowledged(long token);

    /// <summary>The peer asked us to stop a stream that was sent as a whole; it has been reset with the peer's code.</summary>
    void OnWholeStreamStopped(long token, ulong errorCode);

    /// <summary>
    /// All of a unidirectional stream came at once; the bytes are valid during the call. The table knows nothing of it any more, but it
    /// counts against the peer's limits until it is given to <see cref="StreamTable.CreditWhole"/>, or made a stream after all by
    /// <see cref="StreamTable.KeepWhole"/>.
    /// </summary>
    void OnWholeStreamReceived(ulong id, ReadOnlySpan<byte> data, bool isEarlyData, long arrivedAt);

    /// <summary>A stream of the peer's is handed over, unasked.</summary>
    void OnStreamArrived(StreamState stream);
}
