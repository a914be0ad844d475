using Post.Quic.Engine;

namespace Post.Quic.Managed;

/// <summary>What the paths of a connection measure together: those that carry data, or, where none of them does, those that could.</summary>
internal readonly record struct ManagedPathSums
{
    /// <summary>Of the path among them with the smallest.</summary>
    public TimeSpan? SmoothedRtt { get; private init; }

    public TimeSpan? MinRtt { get; private init; }

    public long? CongestionWindow { get; private init; }

    public long? BytesInFlight { get; private init; }

    public long? EstimatedRate { get; private init; }

    /// <summary>Null while the window of one of them is doubling.</summary>
    public long? PacingRate { get; private init; }

    public static ManagedPathSums Of(IReadOnlyList<QuicPath> paths)
    {
        var sums = default(ManagedPathSums);
        bool hasAvailable = paths.Any(static path => path is { IsActive: true, State: QuicPathState.Available });
        foreach (QuicPath path in paths)
        {
            if (!path.IsActive || (hasAvailable && path.State != QuicPathState.Available) || path.State == QuicPathState.Abandoned)
            {
                continue;
            }

            bool isFirst = sums.CongestionWindow is null;
            bool isNearer = path.SmoothedRtt > TimeSpan.Zero && (sums.SmoothedRtt is null || path.SmoothedRtt < sums.SmoothedRtt);
            sums = new ManagedPathSums
            {
                SmoothedRtt = isNearer ? path.SmoothedRtt : sums.SmoothedRtt,
                MinRtt = isNearer ? path.MinRtt : sums.MinRtt,
                CongestionWindow = (sums.CongestionWindow ?? 0) + path.CongestionWindow,
                BytesInFlight = (sums.BytesInFlight ?? 0) + path.BytesInFlight,
                EstimatedRate = (sums.EstimatedRate ?? 0) + path.EstimatedRate,
                PacingRate = isFirst ? path.PacingRate : sums.PacingRate + path.PacingRate,
            };
        }

        return sums;
    }
}
