namespace Post.Quic.Engine.Streams;

/// <summary>
/// What a <see cref="StreamTable"/> tells the layer above. Called inside the connection's gate; the receiver may call
/// back into the stream it is told about.
/// </summary>
internal interface IStreamEvents
{
    /// <summary>Data, the end, or a reset can be read.</summary>
    void OnStreamReadable(TransportStream stream);

    /// <summary>A write that was taken in part can go on.</summary>
    void OnStreamWritable(TransportStream stream);

    /// <summary>Everything that was written has been sent once: whoever asked for it with <see cref="TransportStream.AwaitSent"/> is told.</summary>
    void OnStreamSent(TransportStream stream);

    /// <summary>The peer acknowledged everything up to the end, or the reset: nothing more will happen on the sending side.</summary>
    void OnStreamSendSettled(TransportStream stream);

    /// <summary>The peer asked us to stop; the stream has been reset with its code.</summary>
    void OnStopSending(TransportStream stream, ulong errorCode);

    /// <summary>Both directions are over and the table has forgotten the stream.</summary>
    void OnStreamClosed(TransportStream stream);

    /// <summary>0-RTT was rejected: what the stream did never happened (RFC 9001 section 4.6.2).</summary>
    void OnStreamRejected(TransportStream stream);

    /// <summary>The peer opened streams: <see cref="StreamTable.TryAccept"/> gives them out.</summary>
    void OnStreamsToAccept(bool bidirectional);

    /// <summary>The peer allows more streams: <see cref="StreamTable.TryOpen"/> may succeed again.</summary>
    void OnStreamCredit(bool bidirectional);
}
