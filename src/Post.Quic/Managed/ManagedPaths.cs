using Post.Quic.Engine;
using Post.Sockets;

namespace Post.Quic.Managed;

/// <summary>The engine's paths in Post's words.</summary>
internal static class ManagedPaths
{
    public static PostPath Translate(QuicPath path, QuicPathChange? change = null) => new()
    {
        Id = path.Id,
        LocalEndPoint = path.LocalEndPoint,
        RemoteEndPoint = path.RemoteEndPoint,
        State = change switch
        {
            QuicPathChange.Failed => PostPathState.Failed,
            QuicPathChange.Removed => PostPathState.Removed,
            _ => StateOf(path),
        },
        SmoothedRtt = Known(path.SmoothedRtt),
        MinRtt = Known(path.MinRtt),
        LatestRtt = Known(path.LatestRtt),
        RttVariation = path.SmoothedRtt == TimeSpan.Zero ? null : path.RttVariation,
        LossRate = path.PacketsSent == 0 ? null : (double)path.PacketsLost / path.PacketsSent,
        CongestionWindow = path.CongestionWindow,
        EstimatedRate = path.EstimatedRate,
        Mtu = path.Mtu,
        IsEcnCapable = path.IsEcnCapable,
        BytesSent = path.BytesSent,
        BytesReceived = path.BytesReceived,
    };

    private static PostPathState StateOf(QuicPath path) => path.State switch
    {
        QuicPathState.Abandoned => PostPathState.Abandoned,
        QuicPathState.Suspect => PostPathState.Suspect,
        QuicPathState.Failing => PostPathState.Failed,
        QuicPathState.Backup => PostPathState.Standby,
        _ when path.IsActive => PostPathState.Active,
        _ => path.IsValidated ? PostPathState.Standby : PostPathState.Validating,
    };

    private static TimeSpan? Known(TimeSpan measured) => measured == TimeSpan.Zero ? null : measured;
}
