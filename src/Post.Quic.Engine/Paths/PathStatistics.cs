using Post.Quic.Engine.Addressing;

namespace Post.Quic.Engine.Paths;

/// <summary>What is known of one path at one moment. Times are microseconds; 0 before the first sample.</summary>
internal readonly record struct PathStatistics
{
    public required uint PathId { get; init; }

    /// <summary>Names the network that the path goes over, or tries.</summary>
    public required int NetworkId { get; init; }

    public required NetworkAddress Local { get; init; }

    public required NetworkAddress Remote { get; init; }

    public required bool IsActive { get; init; }

    public required bool IsValidated { get; init; }

    public PathState State { get; init; }

    /// <summary>We would rather keep it for when nothing else works.</summary>
    public bool IsOwnBackup { get; init; }

    /// <summary>The peer would.</summary>
    public bool IsPeerBackup { get; init; }

    /// <summary>Why it was given up, as the side said that did so first; null while it is not.</summary>
    public ulong? EndCode { get; init; }

    public long SmoothedRtt { get; init; }

    public long MinRtt { get; init; }

    public long LatestRtt { get; init; }

    public long RttVariation { get; init; }

    /// <summary>Bytes that may be in flight.</summary>
    public long CongestionWindow { get; init; }

    public long BytesInFlight { get; init; }

    /// <summary>Bytes a second that the window and the round-trip time allow.</summary>
    public long EstimatedRate { get; init; }

    /// <summary>
    /// Bytes a second that leave at most once the window is full: by pacing, or with BBR as the path was measured; 0 in slow start, where it
    /// doubles with the window, and before it is known.
    /// </summary>
    public long PacingRate { get; init; }

    /// <summary>The largest UDP payload that is known to arrive.</summary>
    public int Mtu { get; init; }

    public bool EcnCapable { get; init; }

    public long PacketsSent { get; init; }

    public long PacketsReceived { get; init; }

    public long PacketsLost { get; init; }

    public long BytesSent { get; init; }

    public long BytesReceived { get; init; }

    public long BytesLost { get; init; }

    /// <summary>Packets taken for lost that arrived after all.</summary>
    public long PacketsSpuriouslyLost { get; init; }

    /// <summary>Probe timeouts of the path in all, told with the network that is in use.</summary>
    public long ProbeTimeouts { get; init; }

    public long CongestionEvents { get; init; }
}
