namespace Post.Sockets.Paths;

/// <summary>What came of trying a way.</summary>
internal sealed class WayAttempts
{
    /// <summary>An address that is still being checked for duplicates (RFC 4862 section 5.4) can be used a moment later.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>Where nothing else works, the next attempt is never further away.</summary>
    private static readonly TimeSpan LongestUrgentPause = TimeSpan.FromMilliseconds(500);

    /// <summary>A path is being opened over it, or moved to it.</summary>
    public bool IsUnderWay { get; set; }

    /// <summary>Attempts that failed since the last that succeeded.</summary>
    public int Failures { get; private set; }

    /// <summary>When the last of them failed.</summary>
    public TimeSpan FailedAt { get; private set; }

    public void OnFailed(TimeSpan now)
    {
        IsUnderWay = false;
        Failures++;
        FailedAt = now;
    }

    public void OnSucceeded()
    {
        IsUnderWay = false;
        Failures = 0;
        FailedAt = TimeSpan.Zero;
    }

    /// <summary>How long to wait before the next attempt.</summary>
    public TimeSpan PauseAt(TimeSpan now, bool isUrgent)
    {
        if (Failures == 0)
        {
            return TimeSpan.Zero;
        }

        var pause = Backoff.Of(FirstPause, Failures, isUrgent ? LongestUrgentPause : LongestPause);
        var rest = FailedAt + pause - now;
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }
}
