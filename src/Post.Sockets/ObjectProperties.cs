namespace Post.Sockets;

/// <summary>How an object is sent. Every property has a good default; docs/semantics.md has the source of each rule.</summary>
public sealed record ObjectProperties
{
    /// <summary>The default niceness, which is the default priority of RFC 9622, with room on both sides.</summary>
    public const int DefaultNiceness = 100;

    /// <summary>The most bytes of metadata.</summary>
    public const int MaxMetadata = Protocol.ProtocolLimits.MaxMetadata;

    /// <summary>The most bytes of a durable id.</summary>
    public const int MaxDurableId = Protocol.ProtocolLimits.MaxDurableId;

    /// <summary>An object of ordinary urgency that is sent until it is delivered.</summary>
    public static ObjectProperties Default { get; } = new();

    /// <summary>
    /// Wall-clock budget from <c>Send</c> until the object is available to the remote application. Infinite (the default) means
    /// reliable; finite means retransmitted while it can still arrive in time, then abandoned. At least one millisecond.
    /// </summary>
    public TimeSpan Lifetime
    {
        get;
        init => field = value == Timeout.InfiniteTimeSpan || value >= TimeSpan.FromMilliseconds(1)
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(Lifetime), value, "A lifetime is at least a millisecond, or Timeout.InfiniteTimeSpan.");
    } = Timeout.InfiniteTimeSpan;

    /// <summary>The urgency: 0 is the most urgent, and niceness n waits for niceness n-1.</summary>
    public int Niceness
    {
        get;
        init
        {
            field = OptionRange.Number(value, 0, int.MaxValue, "how much the object yields; 0 is the most urgent");
        }
    } = DefaultNiceness;

    /// <summary>Earlier objects of the same association, before which the receiver never delivers this one.</summary>
    public IReadOnlyList<SentObject> Antecedents
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Antecedents));
            field = value;
        }
    } = [];

    /// <summary>What happens when an antecedent is not delivered.</summary>
    public AntecedentPolicy AntecedentPolicy { get; init => field = OptionRange.Named(value); }

    /// <summary>The object may be received twice, so it may be sent as early (0-RTT) data, which an attacker could replay.</summary>
    public bool SafeToReplay { get; init; }

    /// <summary>Neither the object nor its receipt is held back to be coalesced with others.</summary>
    public bool Immediate { get; init; }

    /// <summary>
    /// Sent again when lost (the default). Otherwise sent once, with its lifetime as a bound on the wait to be sent; what does
    /// not fit into one datagram still travels as a stream and is then reliable while it lives.
    /// </summary>
    public bool Retransmit { get; init; } = true;

    /// <summary>
    /// What the object is called in every association, so that a large one that stopped half-way goes on from there after a restart of either
    /// side: send it again under the same id, and the receiver's application says what it has already (<see cref="ReceivedObject.ResumeFrom"/>).
    /// At most <see cref="MaxDurableId"/> opaque bytes; empty (the default) for an object that ends with its association.
    /// </summary>
    /// <remarks>
    /// It stands for these bytes and no others: what changes the bytes must change the id, or the receiver joins parts of two objects. A SHA-256
    /// over the content, or over all that tells two versions apart (a name, the length, the time of the last change), makes a good one.
    /// The sender waits for the receiver's answer, one round trip, before the first byte of payload; so it is for what is large. Peers that
    /// do not know durable ids get the object from its beginning.
    /// </remarks>
    public ReadOnlyMemory<byte> DurableId
    {
        get;
        init => field = value.Length <= MaxDurableId
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(DurableId), value.Length, $"A durable id has at most {MaxDurableId} bytes; take a SHA-256 of what is longer.");
    }

    /// <summary>A few opaque bytes for the remote application, delivered with the object; at most <see cref="MaxMetadata"/>.</summary>
    public ReadOnlyMemory<byte> Metadata
    {
        get;
        init => field = value.Length <= MaxMetadata
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(Metadata), value.Length, $"Metadata has at most {MaxMetadata} bytes; what is larger belongs into the object.");
    }
}
