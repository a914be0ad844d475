namespace Post.Sockets.Transport;

/// <summary>What became of the attempt to send a whole stream in one call.</summary>
public enum TransportSendResult
{
    /// <summary>Taken: the stream is open, written and ended, and <see cref="TransportEvents"/> reports on it by its token.</summary>
    Queued,

    /// <summary>Larger than one packet takes, or than flow control allows now: open a stream and write to it.</summary>
    TooLarge,

    /// <summary>The transport holds enough that it has not sent: try again after the next report of a stream sent so.</summary>
    Full,

    /// <summary>The peer permits no more streams now: open one with a wait.</summary>
    NoStreams,

    /// <summary>The connection cannot do this (see <see cref="TransportCapabilities.WholeStreams"/>), or it has ended.</summary>
    Unavailable,
}
