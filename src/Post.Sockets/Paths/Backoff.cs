namespace Post.Sockets.Paths;

/// <summary>Waits that double.</summary>
internal static class Backoff
{
    public static TimeSpan Of(TimeSpan first, int times, TimeSpan longest)
    {
        var wait = first * Math.Pow(2, Math.Min(times - 1, 20));
        return wait < longest ? wait : longest;
    }
}
