namespace Post.Quic.Tests.Links;

/// <summary>What one direction of a relay's link can carry; as it is made, it carries everything at once.</summary>
internal sealed record LinkShape
{
    /// <summary>UDP and IPv4 headers, which a real link carries, too.</summary>
    public const int DatagramOverhead = 28;

    /// <summary>Bits a second, headers included; null: no limit.</summary>
    public long? BitsPerSecond { get; init; }

    /// <summary>Bytes that may wait; what comes to a full queue is dropped, as in a router.</summary>
    public int QueueBytes { get; init; } = 64 * 1024;

    /// <summary>Share of datagrams dropped by a seeded coin, 0 to 1.</summary>
    public double Loss { get; init; }
}
