namespace Post.Sockets;

/// <summary>The bounds and habits of an association. Every property has a good default and validates itself.</summary>
public sealed record AssociationOptions
{
    /// <summary>The defaults.</summary>
    public static AssociationOptions Default { get; } = new();

    /// <summary>
    /// Bytes of memory that objects without an end may hold before <c>SendAsync</c> waits and <c>Send</c> throws. What is sent from memory
    /// counts with its length, a stream with the 64 KiB that are read ahead of it, whatever its length, an object that is composed with the 64
    /// KiB of its pipe, a pipe of the application's with nothing. Room is given by urgency, then in order. An object of more than half of
    /// the limit needs half of it free, so the bound can be exceeded by one object; and an eighth of it is always left for objects that are
    /// more urgent than those that fill it. 64 MiB by default.
    /// </summary>
    public long MaxQueuedBytes
    {
        get;
        init => field = OptionRange.Number(value, 1, Protocol.PostInteger.MaxValue, "bytes of memory that objects without an end may hold");
    } = 64L * 1024 * 1024;

    /// <summary>
    /// Objects without an end before <c>SendAsync</c> waits and <c>Send</c> throws; likewise with an eighth of it for more urgent ones. Events
    /// that wait for a slow handler count, too. 100,000 by default.
    /// </summary>
    public int MaxQueuedObjects
    {
        get;
        init => field = OptionRange.Number(value, 1, (int)Protocol.ProtocolLimits.IdWindow, "objects without an end, of which the peer remembers no more");
    } = 100_000;

    /// <summary>
    /// Bytes of objects that this side holds for its application: arriving, waiting for antecedents, or not taken yet. The peer is told
    /// and slows down; what goes beyond is rejected. At least four times <see cref="MaxWholeObjectSize"/>.
    /// </summary>
    public long ReceiveBudget
    {
        get;
        init => field = OptionRange.Number(value, 1, Protocol.PostInteger.MaxValue, "bytes of objects that are held for the application");
    } = 64L * 1024 * 1024;

    /// <summary>The largest object that is delivered whole.</summary>
    public int MaxWholeObjectSize
    {
        get;
        init => field = OptionRange.Number(value, 1, int.MaxValue, "bytes of the largest object that is delivered whole");
    } = 16 * 1024 * 1024;

    /// <summary>Which objects are delivered while still arriving.</summary>
    public IncrementalDelivery Incremental { get; init => field = OptionRange.Named(value); }

    /// <summary>When receipts are given.</summary>
    public ReceiptLevel ReceiptLevel { get; init => field = OptionRange.Named(value); }

    /// <summary>
    /// Objects that handlers work on at a time. One keeps handlers simple; more let slow handlers overlap, in the order that
    /// <see cref="HandlerOrder"/> says. 1 by default.
    /// </summary>
    public int HandlerConcurrency
    {
        get;
        init => field = OptionRange.Number(value, 1, int.MaxValue, "objects that handlers work on at a time");
    } = 1;

    /// <summary>When a handler may start while others run; by default, after those of the object's antecedents have returned.</summary>
    public HandlerOrder HandlerOrder { get; init => field = OptionRange.Named(value); }

    /// <summary>The most antecedents of one object that this side accepts.</summary>
    public int MaxAntecedents
    {
        get;
        init => field = OptionRange.Number(value, 0, Protocol.ProtocolLimits.MaxAntecedents, "antecedents of one object that are accepted");
    } = Protocol.ProtocolLimits.DefaultMaxAntecedents;

    /// <summary>Objects that may wait here for their antecedents.</summary>
    public int MaxWaitingObjects
    {
        get;
        init => field = OptionRange.Number(value, 1, int.MaxValue, "objects that may wait here for their antecedents");
    } =
        Protocol.ProtocolLimits.DefaultMaxWaiting;

    /// <summary>
    /// How long an object waits for an antecedent of which nothing was seen, before it is rejected. One minute by default, at most a day.
    /// </summary>
    public TimeSpan AntecedentTimeout
    {
        get;
        init => field = OptionRange.Time(value, "how long an object waits for an antecedent that never comes");
    } = TimeSpan.FromMinutes(1);

    /// <summary>Small objects with a finite lifetime travel as datagrams where the transport has them.</summary>
    public bool UseDatagrams { get; init; } = true;

    /// <summary>The peer may open streams; they come as <see cref="StreamOpened"/>.</summary>
    public bool AcceptStreams { get; init; } = true;

    /// <summary>
    /// How long a close waits for the objects that were accepted; those without an end then fail. 30 seconds by default, at most a day.
    /// </summary>
    public TimeSpan DrainTimeout
    {
        get;
        init => field = OptionRange.Time(value, "how long a close waits for the objects that were accepted");
    } = TimeSpan.FromSeconds(30);

    /// <summary>How long a handshake may take. 10 seconds by default, at most a day.</summary>
    public TimeSpan HandshakeTimeout { get; init => field = OptionRange.Time(value, "how long a handshake may take"); } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after which the connection is given up. 30 seconds by default, at most a day.</summary>
    public TimeSpan IdleTimeout { get; init => field = OptionRange.Time(value, "the silence after which the connection is given up"); } = TimeSpan.FromSeconds(30);

    /// <summary>How often to send something when nothing is to be sent; null: never, and an idle association ends by its timeout.</summary>
    public TimeSpan? KeepAliveInterval
    {
        get;
        init => field = value is { } interval ? OptionRange.Time(interval, "how often to send something when nothing is to be sent; null is never") : null;
    } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long an association goes on without a connection, when its own is lost: the initiator connects again meanwhile, the listener
    /// waits for it. Objects keep their ids and are sent again where they have no end; their lifetimes run on. One minute by default, at
    /// most a day; zero: the association ends with its connection. Both sides go by their own.
    /// </summary>
    public TimeSpan ResumptionTimeout
    {
        get;
        init => field = OptionRange.Time(value, TimeSpan.Zero, "how long the association goes on without a connection");
    } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Objects marked <see cref="ObjectProperties.SafeToReplay"/> may be sent, or are accepted, before the handshake is complete.
    /// </summary>
    public bool AllowEarlyData { get; init; }

    /// <summary>What the transport lets the peer have under way.</summary>
    public Transport.TransportLimits TransportLimits
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(TransportLimits));
            field = value;
        }
    } = new();

    /// <summary>Checks the rules that no single property can hold to; associating and listening do it too.</summary>
    /// <exception cref="ArgumentException">Two properties do not fit together; the message says which, and what to do.</exception>
    public void Validate()
    {
        if (ReceiveBudget < 4L * MaxWholeObjectSize)
        {
            throw new ArgumentException(
                $"ReceiveBudget ({ReceiveBudget}) must be at least four times MaxWholeObjectSize ({MaxWholeObjectSize}), or large "
                + "objects would block each other; raise the one or lower the other.");
        }

        if (TransportLimits.ConnectionReceiveWindow < TransportLimits.StreamReceiveWindow)
        {
            throw new ArgumentException(
                $"TransportLimits.ConnectionReceiveWindow ({TransportLimits.ConnectionReceiveWindow}) must be at least StreamReceiveWindow "
                + $"({TransportLimits.StreamReceiveWindow}), which no stream could use else; raise the one or lower the other.");
        }
    }
}
