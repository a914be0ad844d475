namespace Post.Sockets.Transport;

/// <summary>
/// How much a peer may have under way towards us; a transport enforces it with its flow control. Every property has a good default and
/// validates itself. The ranges are what all transports can serve.
/// </summary>
public sealed record TransportLimits
{
    private const int MaxStreams = 65_535;
    private const int MinWindow = 4096;
    private const int MaxWindow = 1 << 30;

    /// <summary>
    /// Unidirectional streams the peer may have open at a time: objects under way, and the control stream. 2 to 65,535; 1024 by default.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of this range.</exception>
    public int MaxInboundUnidirectionalStreams
    {
        get;
        init => field = InRange(
            value, 2, MaxStreams, nameof(MaxInboundUnidirectionalStreams), "the control stream and the objects that may be under way at a time");
    } = 1024;

    /// <summary>
    /// Bidirectional streams the peer may have open at a time: its Post streams. 0 (it can open none) to 65,535; 128 by default.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of this range.</exception>
    public int MaxInboundBidirectionalStreams
    {
        get;
        init => field = InRange(
            value, 0, MaxStreams, nameof(MaxInboundBidirectionalStreams), "the Post streams that the peer may have open at a time");
    } = 128;

    /// <summary>
    /// Bytes a stream may send beyond what was read from it. 4 KiB to 1 GiB; 2 MiB by default. One stream is no faster than this a round trip.
    /// msquic takes the next power of two.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of this range.</exception>
    public int StreamReceiveWindow
    {
        get;
        init => field = InRange(value, MinWindow, MaxWindow, nameof(StreamReceiveWindow), "bytes that one stream may send unread");
    } = 2 * 1024 * 1024;

    /// <summary>
    /// Bytes all streams together may send beyond what was read: the memory that one peer can make the transport hold. 4 KiB to 1 GiB, and at
    /// least <see cref="StreamReceiveWindow"/>; 16 MiB by default.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of this range.</exception>
    public int ConnectionReceiveWindow
    {
        get;
        init => field = InRange(value, MinWindow, MaxWindow, nameof(ConnectionReceiveWindow), "bytes that all streams may send unread");
    } = 16 * 1024 * 1024;

    private static int InRange(int value, int least, int most, string name, string what) => value >= least && value <= most
        ? value
        : throw new ArgumentOutOfRangeException(
            name, FormattableString.Invariant($"TransportLimits.{name} is {value}; set it from {least} to {most}: {what}."));
}
