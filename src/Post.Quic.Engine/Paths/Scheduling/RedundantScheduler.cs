namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>For what goes by several paths at a time: the first copy leaves at once, by the path that gets it there first of those that can send.</summary>
internal sealed class RedundantScheduler : IPathScheduler
{
    public int Choose(ReadOnlySpan<PathView> paths, in SendDemand demand, long now) => Arrival.FirstSendable(paths, now);
}
