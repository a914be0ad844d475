namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>How one direction of the simulated network treats datagrams. Times are microseconds.</summary>
internal sealed record LinkConditions
{
    public long Delay { get; init; } = 10_000;

    /// <summary>Up to so much is added to the delay at random, without changing the order.</summary>
    public long Jitter { get; init; }

    public double Loss { get; init; }

    public double Duplication { get; init; }

    public double Corruption { get; init; }

    /// <summary>This share of the datagrams is held back by another delay, and so overtaken.</summary>
    public double Reordering { get; init; }

    /// <summary>Bytes a second; 0 for no limit.</summary>
    public long Bandwidth { get; init; }

    /// <summary>Bytes that wait for the link before the rest is dropped.</summary>
    public int QueueBytes { get; init; } = 256 * 1024;

    /// <summary>Queued bytes from which ECT packets are marked; 0 for never.</summary>
    public int MarkAbove { get; init; }

    /// <summary>Larger UDP payloads vanish.</summary>
    public int Mtu { get; init; } = 65527;

    /// <summary>A router clears the ECN field.</summary>
    public bool BleachEcn { get; init; }

    /// <summary>
    /// The link works for so long, then swallows everything for <see cref="Dark"/>, and so on: --on and --off of the
    /// interop runner's blackhole. Which part of it a world begins in follows from its start.
    /// </summary>
    public long Light { get; init; }

    public long Dark { get; init; }

    public bool IsDarkAt(long now) => Dark != 0 && now % (Light + Dark) >= Light;
}
