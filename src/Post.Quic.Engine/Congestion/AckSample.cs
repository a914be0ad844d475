namespace Post.Quic.Engine.Congestion;

/// <summary>What one ACK frame told a path's congestion controller. Times are microseconds, sizes are bytes.</summary>
internal readonly record struct AckSample
{
    public required long Now { get; init; }

    /// <summary>Newly acknowledged bytes that were in flight.</summary>
    public required long AckedBytes { get; init; }

    /// <summary>
    /// Those among them that may let the window grow: sent after the current recovery period began (RFC 9002 section
    /// 7.3.2) and while the window was the limit (section 7.8).
    /// </summary>
    public required long GrowthBytes { get; init; }

    /// <summary>When the newest of the newly acknowledged packets was sent.</summary>
    public required long NewestSentTime { get; init; }

    /// <summary>The round-trip sample this ACK gave; 0 if it gave none.</summary>
    public required long RttSample { get; init; }

    public required long SmoothedRtt { get; init; }

    public required long MinimumRtt { get; init; }

    /// <summary>After the newly acknowledged and lost packets have left.</summary>
    public required long BytesInFlight { get; init; }

    /// <summary>Before they have.</summary>
    public long PriorBytesInFlight { get; init; }

    /// <summary>The window was full at some moment since the newest of these packets was sent: a round trip.</summary>
    public bool IsWindowLimited { get; init; }

    public DeliverySample Delivery { get; init; }
}
