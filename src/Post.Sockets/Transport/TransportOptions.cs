namespace Post.Sockets.Transport;

/// <summary>
/// How a connection is to behave, and how much a peer may have under way towards us, which a transport enforces with its flow control. Every
/// property has a good default and validates itself when it is set; the ranges are what all transports can serve. The options of associations are these
/// and more (<see cref="AssociationOptions"/>), so what an application sets reaches the transport as it is.
/// </summary>
public record TransportOptions
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
        set => field = OptionRange.Number(
            value, 2, MaxStreams, "the control stream and the objects that may be under way at a time");
    } = 1024;

    /// <summary>
    /// Bidirectional streams the peer may have open at a time: its Post streams. 0 (it can open none) to 65,535; 128 by default.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of this range.</exception>
    public int MaxInboundBidirectionalStreams
    {
        get;
        set => field = OptionRange.Number(
            value, 0, MaxStreams, "the Post streams that the peer may have open at a time");
    } = 128;

    /// <summary>
    /// Bytes a stream may send beyond what was read from it. 4 KiB to 1 GiB; 2 MiB by default. One stream is no faster than this a round trip.
    /// msquic takes the next power of two.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of this range.</exception>
    public int StreamReceiveWindow
    {
        get;
        set => field = OptionRange.Number(value, MinWindow, MaxWindow, "bytes that one stream may send unread");
    } = 2 * 1024 * 1024;

    /// <summary>
    /// Bytes all streams together may send beyond what was read: the memory that one peer can make the transport hold. 4 KiB to 1 GiB, and at
    /// least <see cref="StreamReceiveWindow"/>; 16 MiB by default.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of this range.</exception>
    public int ConnectionReceiveWindow
    {
        get;
        set => field = OptionRange.Number(value, MinWindow, MaxWindow, "bytes that all streams may send unread");
    } = 16 * 1024 * 1024;

    /// <summary>How long a handshake may take. 10 seconds by default; a millisecond to a day.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of this range.</exception>
    public TimeSpan HandshakeTimeout { get; set => field = OptionRange.Time(value, "how long a handshake may take"); } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after which the connection is given up. 30 seconds by default; a millisecond to a day.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of this range.</exception>
    public TimeSpan IdleTimeout { get; set => field = OptionRange.Time(value, "the silence after which the connection is given up"); } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How often to send something when nothing is to be sent. 10 seconds by default; a millisecond to a day. Null or zero (which is how configuration
    /// says it): never, and an idle association ends by its timeout.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is out of this range.</exception>
    public TimeSpan? KeepAliveInterval
    {
        get;
        set => field = value is { } interval && interval != TimeSpan.Zero
            ? OptionRange.Time(interval, "how often to send something when nothing is to be sent; zero is never")
            : null;
    } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How several paths are used, where the transport and the peer have <see cref="TransportCapabilities.Multipath"/>, which the association's
    /// capabilities say once its handshake is complete. The initiator follows the machine by itself: it opens paths, keeps them ready and gives
    /// them up as interfaces, addresses and routes come and go, within <see cref="Local.Interfaces"/> and <see cref="Local.EndPoints"/>. Where
    /// there can be only one path, it moves that one. <see cref="MultipathPolicy.Handover"/> by default.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none of the policies.</exception>
    public MultipathPolicy Multipath { get; set => field = OptionRange.Named(value); } = MultipathPolicy.Handover;

    /// <summary>
    /// The congestion controller of what this side sends. <see cref="CongestionControl.Auto"/> by default. System.Net.Quic always uses CUBIC:
    /// with it, any other choice makes associating and listening fail. The network in memory has a congestion control of its own.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none of the controllers.</exception>
    public CongestionControl CongestionControl { get; set => field = OptionRange.Named(value); }

    /// <summary>
    /// Early (0-RTT) data may be sent, or is accepted, before the handshake is complete: objects marked
    /// <see cref="ObjectProperties.SafeToReplay"/>, where <see cref="Local.Sessions"/> holds a session that allows it. False by default.
    /// </summary>
    public bool AllowEarlyData { get; set; }

    /// <summary>Checks the rules that no single property can hold to; associating and listening do it too.</summary>
    /// <exception cref="ArgumentException">Two properties do not fit together; the message says which, and what to do.</exception>
    public virtual void Validate()
    {
        if (ConnectionReceiveWindow < StreamReceiveWindow)
        {
            throw new ArgumentException(
                $"ConnectionReceiveWindow ({ConnectionReceiveWindow}) must be at least StreamReceiveWindow ({StreamReceiveWindow}), which no stream "
                + "could use otherwise; raise the first or lower the second.");
        }
    }
}
