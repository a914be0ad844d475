namespace Post.Sockets.Transport;

/// <summary>
/// The rank of a stream or datagram among all that one connection has to send: the smaller niceness first, inside a
/// niceness the earlier deadline, inside a deadline by turns where incremental, else the smaller order.
/// </summary>
/// <param name="Niceness">The class: 0 is the most urgent; class n is served only when class n-1 has nothing to send.</param>
/// <param name="Deadline">
/// The moment after which the bytes are worthless, as a timestamp of the transport's <see cref="PostTransport.TimeProvider"/>;
/// <see cref="NoDeadline"/> where there is none.
/// </param>
/// <param name="Incremental">True when part of the bytes is useful, or the object so large that it should share: equals take turns.</param>
/// <param name="Order">The tie-breaker among equals that do not share: the smaller goes first.</param>
public readonly record struct TransportPriority(int Niceness, long Deadline, bool Incremental, long Order)
{
    /// <summary>
    /// A datagram whose content was sent before and seems not to have arrived. Where the deadline is too near for another repetition, the
    /// transport may send it twice.
    /// </summary>
    public bool IsRepair { get; init; }

    /// <summary>The deadline of what never becomes worthless.</summary>
    public const long NoDeadline = long.MaxValue;

    /// <summary>The rank of the control stream: before everything else.</summary>
    public static TransportPriority Control => new(-1, NoDeadline, false, 0);
}
