namespace Post.Sockets;

/// <summary>How a stream is to be served.</summary>
public sealed record StreamProperties
{
    /// <summary>More than any network has: sums of reservations stay in the range of numbers.</summary>
    private const long MaxBandwidth = 1_000_000_000_000_000;

    /// <summary>A stream of ordinary urgency without a reservation.</summary>
    public static StreamProperties Default { get; } = new();

    /// <summary>How much it yields to objects and other streams; 0 is the most urgent.</summary>
    public int Niceness
    {
        get;
        init
        {
            field = OptionRange.Number(value, 0, int.MaxValue, "how much the stream yields; 0 is the most urgent");
        }
    } = ObjectProperties.DefaultNiceness;

    /// <summary>
    /// Bits per second that are served ahead of all objects, 1000 to 10^15; null: none. What goes beyond competes at its niceness. It is reserved
    /// for the direction that this side writes.
    /// </summary>
    public long? Bandwidth
    {
        get;
        init
        {
            if (value is { } bits)
            {
                OptionRange.Number(bits, 1000, MaxBandwidth, "bits per second to reserve; null is none");
            }

            field = value;
        }
    }
}
