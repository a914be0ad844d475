using System.Net;

namespace Post.Sockets;

/// <summary>
/// One way between the two ends, as it was at one moment. Properties that the transport does not measure are null.
/// </summary>
public sealed record PostPath
{
    /// <summary>A number that stays with the path for the life of the connection.</summary>
    public required long Id { get; init; }

    /// <summary>The local address.</summary>
    public EndPoint? LocalEndPoint { get; init; }

    /// <summary>The address of the peer.</summary>
    public EndPoint? RemoteEndPoint { get; init; }

    /// <summary>The local network interface, where that is known.</summary>
    public string? InterfaceName { get; init; }

    /// <summary>The traffic of our interface is paid for, by <see cref="Local.MeteredInterfaces"/> or by the system's word.</summary>
    public bool IsMetered { get; init; }

    /// <summary>Its present state.</summary>
    public required PostPathState State { get; init; }

    /// <summary>Smoothed round-trip time, by the transport's acknowledgements.</summary>
    public TimeSpan? SmoothedRtt { get; init; }

    /// <summary>Smallest round-trip time seen.</summary>
    public TimeSpan? MinRtt { get; init; }

    /// <summary>Latest round-trip time.</summary>
    public TimeSpan? LatestRtt { get; init; }

    /// <summary>Variation of the round-trip time.</summary>
    public TimeSpan? RttVariation { get; init; }

    /// <summary>Share of packets sent that were taken to be lost, 0 to 1.</summary>
    public double? LossRate { get; init; }

    /// <summary>Bytes that may be in flight, by the congestion controller.</summary>
    public long? CongestionWindow { get; init; }

    /// <summary>Estimated rate in bits per second, by the congestion controller.</summary>
    public long? EstimatedRate { get; init; }

    /// <summary>The largest packet that is known to pass, in bytes of UDP payload.</summary>
    public int? Mtu { get; init; }

    /// <summary>Whether explicit congestion notification works on it.</summary>
    public bool? IsEcnCapable { get; init; }

    /// <summary>Bytes sent on it.</summary>
    public long? BytesSent { get; init; }

    /// <summary>Bytes received on it.</summary>
    public long? BytesReceived { get; init; }
}
