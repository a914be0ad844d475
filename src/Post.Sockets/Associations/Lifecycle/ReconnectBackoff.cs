namespace Post.Sockets.Associations.Lifecycle;

/// <summary>
/// How long to wait before each attempt to connect again: not at all before the first, then doubling from a tenth of a second to five
/// seconds, each shortened at random by up to a half, so that a thousand clients of one server do not return in step.
/// </summary>
internal sealed class ReconnectBackoff(Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private int _attempts;

    public TimeSpan Next()
    {
        if (_attempts++ == 0)
        {
            return TimeSpan.Zero;
        }

        var whole = Math.Min(First.TotalMilliseconds * Math.Pow(2, Math.Min(_attempts - 2, 16)), Longest.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(whole * (1 - (random.NextDouble() / 2)));
    }

    /// <summary>A connection has proved to hold: the next loss is not one of a series.</summary>
    public void Reset() => _attempts = 0;
}
