namespace Post.Sockets.Paths;

/// <summary>
/// Interfaces that come and go again and again are trusted less each time: a link that flaps must not pull an association to and fro. Where
/// there is no other way, nobody asks.
/// </summary>
internal sealed class FlapGuard
{
    /// <summary>An interface that held for so long is as good as any.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FirstHold = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, (int Strikes, TimeSpan Last)> _interfaces = [];

    /// <summary>The interface is lost.</summary>
    public void OnLost(string name, TimeSpan now)
    {
        foreach (var (calm, _) in _interfaces.Where(one => now - one.Value.Last >= 2 * Calm).ToArray())
        {
            _interfaces.Remove(calm);
        }

        var strikes = _interfaces.TryGetValue(name, out var before) && now - before.Last < Calm ? before.Strikes : 0;
        _interfaces[name] = (strikes + 1, now);
    }

    /// <summary>How long the interface must hold from now before it is chosen where another works. The first loss costs nothing.</summary>
    public TimeSpan HoldOf(string name, TimeSpan now)
    {
        if (!_interfaces.TryGetValue(name, out var known) || known.Strikes < 2)
        {
            return TimeSpan.Zero;
        }

        var hold = Backoff.Of(FirstHold, known.Strikes - 1, LongestHold);
        var rest = known.Last + hold - now;
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }
}
