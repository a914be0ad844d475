namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>Sends the same by several paths, for what must get through: the first copy by the path that gets it there first.</summary>
/// <param name="copies">On how many paths, at least 1; fewer where there are fewer.</param>
internal sealed class RedundantScheduler(int copies) : IPathScheduler
{
    public int Copies { get; } = copies;

    public int Choose(ReadOnlySpan<PathView> paths, in SendDemand demand, long now) => Arrival.FirstSendable(paths, now);
}
