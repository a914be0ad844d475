namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>
/// Uses all paths, but a slower one only for what the faster ones would not have delivered by then: so that much is complete as early
/// as can be, and never later than over the best path alone. After the earliest-completion-first scheduler of Lim, Nahum, Towsley and
/// Gibbens (CoNEXT 2017), with rates and any number of paths.
/// </summary>
internal sealed class EarliestCompletionScheduler : IPathScheduler
{
    /// <summary>What was waited for once is waited for a quarter longer, so that estimates that waver do not change the decision.</summary>
    private const int Hysteresis = 4;

    private bool _isWaiting;

    public int Choose(ReadOnlySpan<PathView> paths, in SendDemand demand, long now)
    {
        int first = Arrival.First(paths, now);
        if (paths[first].CanSend)
        {
            _isWaiting = false;
            return first;
        }

        int slower = demand.Kind == SendKind.Bulk ? Arrival.FirstSendable(paths, now) : -1;
        if (slower < 0)
        {
            return -1;
        }

        long there = Arrival.Of(paths[slower], now);
        long patience = there - now;
        if (_isWaiting)
        {
            patience += patience / Hysteresis;
        }

        _isWaiting = Arrival.OfAll(paths, demand.Bytes, there, now) - now < patience;
        return _isWaiting ? -1 : slower;
    }
}
