namespace Post.Sockets;

/// <summary>How an object is to be sent. Every property has a good default; the source of each rule stands in docs/semantics.md.</summary>
public sealed record ObjectProperties
{
    /// <summary>The niceness of what says nothing: the default priority of RFC 9622, with room on both sides.</summary>
    public const int DefaultNiceness = 100;

    /// <summary>The most bytes of metadata.</summary>
    public const int MaxMetadata = Protocol.ProtocolLimits.MaxMetadata;

    /// <summary>An object of ordinary urgency that is delivered for certain.</summary>
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

    /// <summary>How much the object yields: 0 is the most urgent, and class n waits for class n-1.</summary>
    public int Niceness
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(Niceness));
            field = value;
        }
    } = DefaultNiceness;

    /// <summary>Earlier objects of the same association; the receiver never delivers this one before them.</summary>
    public IReadOnlyList<SentObject> Antecedents
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Antecedents));
            field = value;
        }
    } = [];

    /// <summary>What happens when an antecedent does not make it.</summary>
    public AntecedentPolicy AntecedentPolicy { get; init; }

    /// <summary>May be received twice, so it may travel as early (0-RTT) data that an attacker could replay.</summary>
    public bool SafeToReplay { get; init; }

    /// <summary>Neither the object nor its receipt is held back to be coalesced with others.</summary>
    public bool Immediate { get; init; }

    /// <summary>
    /// Sent again when lost (the default). Otherwise sent once, with its lifetime as a bound on the wait to be sent; what does
    /// not fit into one datagram still travels as a stream and is then reliable while it lives.
    /// </summary>
    public bool Retransmit { get; init; } = true;

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
