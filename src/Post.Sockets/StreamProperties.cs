namespace Post.Sockets;

/// <summary>How a stream is to be served.</summary>
public sealed record StreamProperties
{
    /// <summary>A stream of ordinary urgency without a reservation.</summary>
    public static StreamProperties Default { get; } = new();

    /// <summary>How much it yields to objects and other streams; 0 is the most urgent.</summary>
    public int Niceness
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(Niceness));
            field = value;
        }
    } = ObjectProperties.DefaultNiceness;

    /// <summary>
    /// Bits per second that are served ahead of all objects; null: none. What goes beyond competes at its niceness. It is reserved
    /// for the direction that this side writes.
    /// </summary>
    public long? Bandwidth
    {
        get;
        init
        {
            if (value is { } bits)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(bits, 1000, nameof(Bandwidth));
            }

            field = value;
        }
    }
}
