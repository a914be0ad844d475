namespace Post.Quic.Engine;

/// <summary>
/// The rank of a stream or datagram among all that a connection has to send: the smaller class first; inside a class
/// the earlier deadline; equals take turns.
/// </summary>
/// <param name="Class">0, the default, is the most urgent. Class n is sent only while class n-1 has nothing to send.</param>
/// <param name="Deadline">
/// The moment by which it should have been sent, as a timestamp of the connection's clock
/// (<see cref="TimeProvider.GetTimestamp"/>); null: none. It orders, and for datagrams it is also the age limit.
/// </param>
public readonly record struct QuicPriority(int Class = 0, long? Deadline = null)
{
    /// <summary>
    /// A datagram whose content was sent before and seems not to have arrived. Where the deadline is too near for another repetition, it is sent
    /// twice, on two paths where there are two; both count in the congestion window. Streams are repeated by the connection itself, which
    /// does the same for them.
    /// </summary>
    public bool IsRepair { get; init; }
}
