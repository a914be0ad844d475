using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>Who goes first on a connection, as far as its <see cref="TransportPriority"/> is honoured.</summary>
/// <param name="Niceness">The class.</param>
/// <param name="Deadline">The earlier first.</param>
/// <param name="Turn">The place among equals that take turns.</param>
/// <param name="Order">The order among equals that do not.</param>
/// <param name="Id">Makes every rank another one.</param>
internal readonly record struct SendRank(int Niceness, long Deadline, long Turn, long Order, long Id) : IComparable<SendRank>
{
    public int CompareTo(SendRank other)
    {
        int order = Niceness.CompareTo(other.Niceness);
        order = order != 0 ? order : Deadline.CompareTo(other.Deadline);
        order = order != 0 ? order : Turn.CompareTo(other.Turn);
        order = order != 0 ? order : Order.CompareTo(other.Order);
        return order != 0 ? order : Id.CompareTo(other.Id);
    }
}
