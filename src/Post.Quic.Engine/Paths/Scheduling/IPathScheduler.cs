namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>
/// Decides by which path the next datagram goes, where there are several. It is asked for each datagram anew, sees only paths that
/// work, and may remember what it decided before; it is one connection's own.
/// </summary>
internal interface IPathScheduler
{
    /// <summary>Chooses among the paths.</summary>
    /// <param name="paths">In the order of their ids; at least one.</param>
    /// <param name="demand">What waits to be sent.</param>
    /// <param name="now">The current time in microseconds.</param>
    /// <returns>
    /// The index of a path with <see cref="PathView.CanSend"/>; a negative number to send nothing yet, because what waits gets
    /// there earlier by a path that cannot send at this moment.
    /// </returns>
    int Choose(ReadOnlySpan<PathView> paths, in SendDemand demand, long now);
}
