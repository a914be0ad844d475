namespace Post.Sockets.Scheduling;

/// <summary>
/// The order in which things are sent: by class, then by deadline (earliest first), then by turn, then by order of sending. A turn is a
/// start tag of start-time fair queueing (Goyal, Vin and Cheng 1996): what has been served less within its class goes first, so large
/// objects share and a small one need not wait for them.
/// </summary>
internal readonly record struct SendKey(int Class, long Deadline, long Turn, long Order) : IComparable<SendKey>
{
    public int CompareTo(SendKey other)
    {
        if (Class != other.Class)
        {
            return Class < other.Class ? -1 : 1;
        }

        if (Deadline != other.Deadline)
        {
            return Deadline < other.Deadline ? -1 : 1;
        }

        return Turn != other.Turn ? (Turn < other.Turn ? -1 : 1) : Order.CompareTo(other.Order);
    }
}
