namespace Post.Quic.Engine;

/// <summary>What became of the attempt to send a whole stream.</summary>
public enum QuicStreamSendResult
{
    /// <summary>Taken; what becomes of it is reported by its token.</summary>
    Queued,

    /// <summary>
    /// Longer than <see cref="QuicConnection.MaxSentStreamSize"/>, or than the peer allows at first on one stream: open a stream and write to
    /// it.
    /// </summary>
    TooLarge,

    /// <summary>
    /// As much waits to be sent as the path, or the peer's flow control, soon takes; try again when a stream was reported sent or stopped, or
    /// was reset.
    /// </summary>
    Full,

    /// <summary>The peer allows no further stream now; <see cref="QuicConnection.OpenOutboundStreamAsync"/> waits until it does.</summary>
    NoStreams,

    /// <summary>The connection has ended.</summary>
    Unavailable,
}
