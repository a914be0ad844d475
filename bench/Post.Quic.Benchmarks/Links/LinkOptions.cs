namespace Post.Quic.Benchmarks.Links;

/// <summary>What one direction of a link does to packets; both directions do the same, each with random numbers of its own.</summary>
internal sealed record LinkOptions
{
    /// <summary>The share of packets that vanish, each by itself, 0 to 1.</summary>
    public double Loss { get; init; }

    /// <summary>One way. Packets come up to a millisecond later than this, since that is how finely the system wakes a thread.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Bits of IP packets a second; 0: no limit.</summary>
    public long BitsPerSecond { get; init; }

    /// <summary>Bytes that may wait in front of a limit; what comes beyond them is lost.</summary>
    public int QueueBytes { get; init; } = 256 * 1024;

    /// <summary>The largest IP packet that passes; larger ones vanish, as on a path that tells nobody. Ethernet's by default.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>Decides which packets vanish.</summary>
    public int Seed { get; init; }
}
