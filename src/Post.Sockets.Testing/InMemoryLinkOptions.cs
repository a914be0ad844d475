namespace Post.Sockets.Testing;

/// <summary>What one direction of a path does to packets. The default is perfect: no delay, no loss, no limit.</summary>
public sealed record InMemoryLinkOptions
{
    /// <summary>A link that does nothing to packets but carry them.</summary>
    public static InMemoryLinkOptions Perfect { get; } = new();

    /// <summary>Bits per second; 0: no limit.</summary>
    public long BitsPerSecond
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>The time from the last bit's departure to its arrival.</summary>
    public TimeSpan Delay
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            field = value;
        }
    }

    /// <summary>Up to so much more delay, at random. It alone changes no order.</summary>
    public TimeSpan Jitter
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            field = value;
        }
    }

    /// <summary>The share of packets that vanish, 0 to 1.</summary>
    public double Loss
    {
        get;
        init
        {
            ThrowUnlessShare(value);
            field = value;
        }
    }

    /// <summary>The share of packets that are held up by <see cref="ReorderDelay"/> while later ones pass them, 0 to 1.</summary>
    public double Reorder
    {
        get;
        init
        {
            ThrowUnlessShare(value);
            field = value;
        }
    }

    /// <summary>How long packets of <see cref="Reorder"/> are held up.</summary>
    public TimeSpan ReorderDelay
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromMilliseconds(5);

    /// <summary>Bytes that may wait in front of the link; a packet beyond them is lost. No meaning without <see cref="BitsPerSecond"/>.</summary>
    public int QueueLimit
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 2 * Packet.Size);
            field = value;
        }
    } = 128 * 1024;

    /// <summary>How senders onto this link decide how much to send.</summary>
    public InMemoryCongestion Congestion { get; init; }

    private static void ThrowUnlessShare(double value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1);
    }
}
