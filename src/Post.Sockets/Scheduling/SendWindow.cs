namespace Post.Sockets.Scheduling;

/// <summary>
/// How much may lie with the transport. What lies there can be overtaken only if the transport honours priorities; what is
/// still here always can. So it is just enough to keep the network busy.
/// </summary>
internal static class SendWindow
{
    private const long Least = 16 * 1024;
    private const long Most = 16 * 1024 * 1024;
    private const int LargestChunk = 64 * 1024;

    /// <summary>Bytes that may lie with the transport.</summary>
    /// <param name="returnsWhenSent">Its writes complete when their bytes were sent, not when they were acknowledged.</param>
    /// <param name="congestionWindow">Bytes that may be in flight; null where it does not say.</param>
    public static long Bytes(bool returnsWhenSent, long? congestionWindow)
    {
        if (!returnsWhenSent)
        {
            // Writes stay with the transport until they are acknowledged: a window for what is in flight, and as much again to grow.
            return Math.Clamp((congestionWindow ?? (512 * 1024)) * 2, 4 * Least, Most);
        }

        // Writes return when sent: it suffices to bridge the time until we are woken, which is a fraction of a round trip.
        var window = congestionWindow ?? (256 * 1024);
        return Math.Clamp(window / 2, Least, Most / 4);
    }

    /// <summary>The largest piece of one object: a quarter of the window, so that several objects take turns.</summary>
    public static int Chunk(long window) => (int)Math.Clamp(window / 4, 4 * 1024, LargestChunk);
}
