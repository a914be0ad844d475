namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>
/// Fills the path with the least round trip first, and what does not fit into its window goes by the next one. Simple, and good where
/// the paths are alike; where one is much slower, what it carries is late.
/// </summary>
internal sealed class MinimumRoundTripScheduler : IPathScheduler
{
    public int Choose(ReadOnlySpan<PathView> paths, in SendDemand demand, long now)
    {
        int rank = PathRank.Best(paths);
        int chosen = -1;
        for (int i = 0; i < paths.Length; i++)
        {
            ref readonly PathView path = ref paths[i];
            if (PathRank.Of(path) == rank && path.CanSend && (chosen < 0 || path.RoundTrip < paths[chosen].RoundTrip))
            {
                chosen = i;
            }
        }

        return chosen;
    }
}
