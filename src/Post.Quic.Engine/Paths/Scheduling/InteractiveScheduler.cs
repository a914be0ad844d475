namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>Sends what is urgent or repaired by whatever path gets it there first; bulk stays on one path.</summary>
internal sealed class InteractiveScheduler : IPathScheduler
{
    private HomePath _home;

    public int Choose(ReadOnlySpan<PathView> paths, in SendDemand demand, long now)
    {
        int chosen = demand.Kind == SendKind.Bulk ? _home.Find(paths) : Arrival.First(paths, now);
        return paths[chosen].CanSend ? chosen : -1;
    }
}
