using Post.Sockets.Transport;

namespace Post.Sockets;

/// <summary>
/// How an association behaves and what it may hold. Every property has a good default and validates itself when it is set. An association takes a copy
/// when it begins: what is changed later counts for later ones.
/// </summary>
public sealed record AssociationOptions : TransportOptions
{
    /// <summary>
    /// Bytes of memory that incomplete objects may hold before <c>SendAsync</c> waits and <c>Send</c> throws. What is sent from memory
    /// counts with its length, a stream with the 64 KiB that are read ahead of it, whatever its length, an object that is composed with the 64
    /// KiB of its pipe, a pipe of the application's with nothing. Room is given by urgency, then in order. An object of more than half of
    /// the limit needs half of it free, so the bound can be exceeded by one object; and an eighth of it is always left for objects that are
    /// more urgent than those that fill it. 64 MiB by default.
    /// </summary>
    public long MaxQueuedBytes
    {
        get;
        set => field = OptionRange.Number(value, 1, Protocol.PostInteger.MaxValue, "bytes of memory that incomplete objects may hold");
    } = 64L * 1024 * 1024;

    /// <summary>
    /// Incomplete objects before <c>SendAsync</c> waits and <c>Send</c> throws; likewise with an eighth of it for more urgent ones. Events
    /// that wait for a slow handler count, too. 100,000 by default.
    /// </summary>
    public int MaxQueuedObjects
    {
        get;
        set => field = OptionRange.Number(value, 1, (int)Protocol.ProtocolLimits.IdWindow, "incomplete objects, of which the peer remembers no more");
    } = 100_000;

    /// <summary>
    /// Bytes of objects that this side holds for its application: arriving, waiting for antecedents, or not taken yet. The peer is told
    /// and slows down; what goes beyond is rejected. At least four times <see cref="MaxWholeObjectSize"/>.
    /// </summary>
    public long ReceiveBudget
    {
        get;
        set => field = OptionRange.Number(value, 1, Protocol.PostInteger.MaxValue, "bytes of objects that are held for the application");
    } = 64L * 1024 * 1024;

    /// <summary>The largest object that is delivered whole.</summary>
    public int MaxWholeObjectSize
    {
        get;
        set => field = OptionRange.Number(value, 1, int.MaxValue, "bytes of the largest object that is delivered whole");
    } = 16 * 1024 * 1024;

    /// <summary>Which objects are delivered while still arriving.</summary>
    public IncrementalDelivery Incremental { get; set => field = OptionRange.Named(value); }

    /// <summary>When receipts are given.</summary>
    public ReceiptLevel ReceiptLevel { get; set => field = OptionRange.Named(value); }

    /// <summary>
    /// Objects that handlers work on at a time. One keeps handlers simple; more let slow handlers overlap, in the order that
    /// <see cref="HandlerOrder"/> says. 1 by default.
    /// </summary>
    public int HandlerConcurrency
    {
        get;
        set => field = OptionRange.Number(value, 1, int.MaxValue, "objects that handlers work on at a time");
    } = 1;

    /// <summary>When a handler may start while others run; by default, after those of the object's antecedents have returned.</summary>
    public HandlerOrder HandlerOrder { get; set => field = OptionRange.Named(value); }

    /// <summary>The most antecedents of one object that this side accepts.</summary>
    public int MaxAntecedents
    {
        get;
        set => field = OptionRange.Number(value, 0, Protocol.ProtocolLimits.MaxAntecedents, "antecedents of one object that are accepted");
    } = Protocol.ProtocolLimits.DefaultMaxAntecedents;

    /// <summary>Objects that may wait here for their antecedents.</summary>
    public int MaxWaitingObjects
    {
        get;
        set => field = OptionRange.Number(value, 1, int.MaxValue, "objects that may wait here for their antecedents");
    } =
        Protocol.ProtocolLimits.DefaultMaxWaiting;

    /// <summary>
    /// How long an object waits for an antecedent of which nothing was seen, before it is rejected. One minute by default, at most a day.
    /// </summary>
    public TimeSpan AntecedentTimeout
    {
        get;
        set => field = OptionRange.Time(value, "how long an object waits for an antecedent that never comes");
    } = TimeSpan.FromMinutes(1);

    /// <summary>Small objects with a fsete lifetime travel as datagrams where the transport has them.</summary>
    public bool UseDatagrams { get; set; } = true;

    /// <summary>The peer may open streams; they come as <see cref="StreamOpened"/>.</summary>
    public bool AcceptStreams { get; set; } = true;

    /// <summary>
    /// How long a close waits for the objects that were accepted; those that are incomplete then fail. 30 seconds by default, at most a day.
    /// </summary>
    public TimeSpan DrainTimeout
    {
        get;
        set => field = OptionRange.Time(value, "how long a close waits for the objects that were accepted");
    } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long an association goes on without a connection, when its own is lost: the initiator connects again meanwhile, the listener
    /// waits for it. Objects keep their ids and are sent again where they are incomplete; their lifetimes run on. One minute by default, at
    /// most a day; zero: the association ends with its connection. Both sides go by their own.
    /// </summary>
    public TimeSpan ResumptionTimeout
    {
        get;
        set => field = OptionRange.Time(value, TimeSpan.Zero, "how long the association goes on without a connection");
    } = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        if (ReceiveBudget < 4L * MaxWholeObjectSize)
        {
            throw new ArgumentException(
                $"ReceiveBudget ({ReceiveBudget}) must be at least four times MaxWholeObjectSize ({MaxWholeObjectSize}), or large "
                + "objects would block each other; raise the first or lower the second.");
        }
    }
}
