namespace Post.Quic.Engine.Endpoint;

/// <summary>Lets so many through a second, and a second's worth at once. Times are microseconds.</summary>
internal struct RateLimit(int perSecond)
{
    private const long Second = 1_000_000;

    private readonly long _cost = Second / perSecond;
    private long _paidUntil = -Second;

    public bool TryTake(long now)
    {
        long from = Math.Max(_paidUntil, now - Second);
        if (from + _cost > now)
        {
            return false;
        }

        _paidUntil = from + _cost;
        return true;
    }
}
