namespace Post.Sockets.Protocol;

/// <summary>
/// Every number that post/1 itself caps, each with its reason. What an application may set stands in its properties;
/// what stands here holds whatever they say.
/// </summary>
internal static class ProtocolLimits
{
    /// <summary>
    /// The longest payload of a control frame. A receiver must buffer a frame that comes in pieces: this bounds it. The
    /// longest list of ranges (255 pairs of 8-byte integers and three more integers) fits.
    /// </summary>
    public const int MaxFramePayload = 4120;

    /// <summary>A frame with its type and length, each in their longest form.</summary>
    public const int MaxFrameLength = (2 * PostInteger.MaxLength) + MaxFramePayload;

    /// <summary>
    /// Ranges of ids in one RECEIPT or ABANDON. More go into the next frame. Against frames whose cost to apply is out of
    /// proportion to their size.
    /// </summary>
    public const int MaxRangesPerFrame = 255;

    /// <summary>Hosts in one <see cref="RemoteTicket"/>: against a text that makes a client try a thousand addresses.</summary>
    public const int MaxTicketHosts = 16;

    /// <summary>Parameters in one HELLO, known or not: against a HELLO of a thousand empty ones.</summary>
    public const int MaxHelloParameters = 64;

    /// <summary>
    /// Antecedents of one object, whatever a HELLO says: a parser can hold them on its stack, and one object can never
    /// cost more than this many edges.
    /// </summary>
    public const int MaxAntecedents = 256;

    /// <summary>
    /// Metadata of one object. It is held whole before the first byte of the payload is shown, so it is kept small; what
    /// is larger is payload.
    /// </summary>
    public const int MaxMetadata = 4096;

    /// <summary>
    /// A durable id: a SHA-256 of whatever tells one object from another. A receiver keeps it for as long as the object arrives.
    /// </summary>
    public const int MaxDurableId = 32;

    /// <summary>
    /// Unfinished objects that a HELLO names, each of at most 12 bytes but the first, so that they fit into a frame. A sender has no more
    /// than 32 large objects of a class under way; what a receiver holds beyond this number comes from its beginning again.
    /// </summary>
    public const int MaxHeldObjects = 255;

    /// <summary>
    /// An object header can be no longer, so a receiver that has gathered so much and still cannot parse it knows that
    /// it never will: type, id, flags, niceness, time of sending, lifetime, the antecedents and their count, metadata and its length,
    /// payload length, offset, the durable id and its length.
    /// </summary>
    public const int MaxObjectHeader =
        (6 * PostInteger.MaxLength) + ((1 + MaxAntecedents) * PostInteger.MaxLength)
        + PostInteger.MaxLength + MaxMetadata + (2 * PostInteger.MaxLength) + PostInteger.MaxLength + MaxDurableId;

    /// <summary>A Post-stream header can be no longer: type, flags, niceness, bandwidth.</summary>
    public const int MaxStreamHeader = 4 * PostInteger.MaxLength;

    /// <summary>
    /// How far above its lowest id without an end a sender may go. It bounds what the receiver must remember to know
    /// duplicates (one bit an id: 128 KiB) and is still seconds of traffic at 100,000 objects a second.
    /// </summary>
    public const long IdWindow = 1L << 20;

    /// <summary>
    /// How far above its own lowest unresolved id a receiver lets ids go before it calls them impossible. Twice the
    /// sender's window, since receipts and ABANDON that move the two ends are on their way.
    /// </summary>
    public const long IdWindowTolerance = 2 * IdWindow;

    /// <summary>What holds for the peer's HELLO before it came, and for each parameter that it leaves out.</summary>
    public const int DefaultMaxAntecedents = 64;

    /// <summary>Likewise: objects that may wait at the receiver for their antecedents.</summary>
    public const int DefaultMaxWaiting = 1024;

    /// <summary>
    /// Connections at a listener that have not said HELLO. Each may hold a transport's window of bytes; whoever keeps more of them waiting
    /// is told to come back.
    /// </summary>
    public const int MaxConnectionsBeforeHello = 1024;

    /// <summary>
    /// Bytes of datagrams that are held because they overtook HELLO, with what each costs beside its bytes. Far more than a sender's
    /// window brings in the round trips that a lost HELLO takes; against a peer that sends datagrams and never HELLO.
    /// </summary>
    public const int MaxDatagramBytesBeforeHello = 1024 * 1024;

    /// <summary>
    /// Paths of one connection that an association keeps open: more rarely have links of their own, and each costs both sides connection ids
    /// and probes.
    /// </summary>
    public const int MaxPaths = 4;

    /// <summary>
    /// Further addresses of a listener in HELLO. Each is probed by clients, so a hostile listener must not make many of them send to others
    /// (RFC 9000 section 21.5.3).
    /// </summary>
    public const int MaxPeerAddresses = 8;

    /// <summary>A receipt that was not asked for at once is given at the latest after this, or a quarter of the RTT.</summary>
    public static readonly TimeSpan MaxReceiptDelay = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// How often CLOCK is sent while objects with a finite lifetime are: often enough that some of a receiver's window neither waited nor was
    /// repeated, at a cost of a byte or two a second.
    /// </summary>
    public static readonly TimeSpan ClockInterval = TimeSpan.FromSeconds(5);

    /// <summary>A HELLO that has not come this long after the connection was made never will.</summary>
    public static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(10);
}
