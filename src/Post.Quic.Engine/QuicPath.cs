using System.Net;
using Post.Quic.Engine.Paths;

namespace Post.Quic.Engine;

/// <summary>One way between the two ends, as it was at one moment.</summary>
public sealed record QuicPath
{
    /// <summary>Names this pair of addresses for the life of the connection: a path that moves to other addresses gets another.</summary>
    public required long Id { get; init; }

    /// <summary>
    /// The id of the path that both sides know (draft-ietf-quic-multipath-21 section 1.1), 0 to 2^32-1: the one to name it by in calls. It
    /// stays the same when the path moves. 0 is the path of the handshake, and without multipath the only one.
    /// </summary>
    public long PathId { get; init; }

    /// <summary>Our address on it.</summary>
    public required IPEndPoint LocalEndPoint { get; init; }

    /// <summary>The peer's address on it.</summary>
    public required IPEndPoint RemoteEndPoint { get; init; }

    /// <summary>Data may go by it: its path is in use, and these are the addresses that it goes over. With multipath there can be several.</summary>
    public required bool IsActive { get; init; }

    /// <summary>It was shown to reach the peer (RFC 9000 section 8.2).</summary>
    public required bool IsValidated { get; init; }

    /// <summary>What it is good for at the moment.</summary>
    public QuicPathState State { get; init; }

    /// <summary>How this side wants it to be used; see <see cref="QuicConnection.SetPathStatus"/>.</summary>
    public QuicPathStatus LocalStatus { get; init; }

    /// <summary>How the peer wants it to be used.</summary>
    public QuicPathStatus PeerStatus { get; init; }

    /// <summary>
    /// Why it was given up, as the side said that did so first; see <see cref="QuicPathErrorCode"/>. Null where its
    /// <see cref="State"/> is not <see cref="QuicPathState.Abandoned"/>.
    /// </summary>
    public long? ErrorCode { get; init; }

    /// <summary>Smoothed round-trip time; zero before the first sample.</summary>
    public TimeSpan SmoothedRtt { get; init; }

    /// <summary>Smallest round-trip time.</summary>
    public TimeSpan MinRtt { get; init; }

    /// <summary>Latest round-trip time.</summary>
    public TimeSpan LatestRtt { get; init; }

    /// <summary>Variation of the round-trip time.</summary>
    public TimeSpan RttVariation { get; init; }

    /// <summary>Bytes that may be in flight.</summary>
    public long CongestionWindow { get; init; }

    /// <summary>Bytes in flight.</summary>
    public long BytesInFlight { get; init; }

    /// <summary>Bits a second that the window and the round-trip time allow.</summary>
    public long EstimatedRate { get; init; }

    /// <summary>
    /// Bits a second that leave at most once the window is full: by pacing (RFC 9002 section 7.7), or with BBR as the path was measured; null in slow
    /// start, where it doubles with the window.
    /// </summary>
    public long? PacingRate { get; init; }

    /// <summary>The largest UDP payload that is known to arrive, in bytes.</summary>
    public int Mtu { get; init; }

    /// <summary>Explicit congestion notification works on it.</summary>
    public bool IsEcnCapable { get; init; }

    /// <summary>Packets sent on it.</summary>
    public long PacketsSent { get; init; }

    /// <summary>Packets received on it.</summary>
    public long PacketsReceived { get; init; }

    /// <summary>Packets taken for lost.</summary>
    public long PacketsLost { get; init; }

    /// <summary>Bytes of packets taken for lost.</summary>
    public long BytesLost { get; init; }

    /// <summary>Packets taken for lost that arrived after all.</summary>
    public long SpuriousLosses { get; init; }

    /// <summary>Times that the path was found congested, by losses or by marks, and its window reduced.</summary>
    public long CongestionEvents { get; init; }

    /// <summary>
    /// Times that probes were sent on the path because no acknowledgement came; 0 for addresses that it does not go over any more.
    /// </summary>
    public long ProbeTimeouts { get; init; }

    /// <summary>Bytes of UDP payload sent on it.</summary>
    public long BytesSent { get; init; }

    /// <summary>Bytes of UDP payload received on it.</summary>
    public long BytesReceived { get; init; }

    internal static QuicPath From(in PathStatistics path) => new()
    {
        Id = path.NetworkId,
        PathId = path.PathId,
        LocalEndPoint = path.Local.ToEndPoint(),
        RemoteEndPoint = path.Remote.ToEndPoint(),
        IsActive = path.IsActive,
        IsValidated = path.IsValidated,
        State = (QuicPathState)path.State,
        LocalStatus = path.IsOwnBackup ? QuicPathStatus.Backup : QuicPathStatus.Available,
        PeerStatus = path.IsPeerBackup ? QuicPathStatus.Backup : QuicPathStatus.Available,
        ErrorCode = (long?)path.EndCode,
        SmoothedRtt = TimeSpan.FromMicroseconds(path.SmoothedRtt),
        MinRtt = TimeSpan.FromMicroseconds(path.MinRtt),
        LatestRtt = TimeSpan.FromMicroseconds(path.LatestRtt),
        RttVariation = TimeSpan.FromMicroseconds(path.RttVariation),
        CongestionWindow = path.CongestionWindow,
        BytesInFlight = path.BytesInFlight,
        EstimatedRate = path.EstimatedRate * 8,
        PacingRate = path.PacingRate == 0 ? null : path.PacingRate * 8,
        Mtu = path.Mtu,
        IsEcnCapable = path.EcnCapable,
        PacketsSent = path.PacketsSent,
        PacketsReceived = path.PacketsReceived,
        PacketsLost = path.PacketsLost,
        BytesLost = path.BytesLost,
        SpuriousLosses = path.PacketsSpuriouslyLost,
        CongestionEvents = path.CongestionEvents,
        ProbeTimeouts = path.ProbeTimeouts,
        BytesSent = path.BytesSent,
        BytesReceived = path.BytesReceived,
    };
}
