namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>Everything goes by the path with the shortest round trip that can send; the others take what it cannot.</summary>
internal sealed class LowestRoundTrip : IPathScheduler
{
    public int Choose(ReadOnlySpan<PathView> paths, in SendDemand demand, long now)
    {
        int best = -1;
        for (int i = 0; i < paths.Length; i++)
        {
            if (paths[i].CanSend && (best < 0 || paths[i].RoundTrip < paths[best].RoundTrip))
            {
                best = i;
            }
        }

        return best;
    }
}
