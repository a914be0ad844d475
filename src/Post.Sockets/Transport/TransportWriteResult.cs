namespace Post.Sockets.Transport;

/// <summary>The outcome of one write. That the peer wants no more is an ordinary outcome, so it is a value.</summary>
/// <param name="IsStopped">The peer asked to stop (STOP_SENDING), or the stream was reset from this side meanwhile; the bytes are void.</param>
/// <param name="StopCode">The peer's code; 0 where it was not the peer.</param>
public readonly record struct TransportWriteResult(bool IsStopped, long StopCode)
{
    /// <summary>The bytes were taken.</summary>
    public static TransportWriteResult Taken => default;

    /// <summary>The peer wants no more of this stream.</summary>
    /// <param name="code">Its error code.</param>
    public static TransportWriteResult Stopped(long code) => new(true, code);
}
