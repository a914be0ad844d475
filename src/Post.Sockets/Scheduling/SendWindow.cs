using Post.Sockets.Transport;

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

    public static long Bytes(TransportCapabilities capabilities, in TransportStatistics statistics)
    {
        if ((capabilities & TransportCapabilities.WritesCompleteWhenSent) == 0)
        {
            // Writes stay with the transport until they are acknowledged: a window for what is in flight, and as much again to grow.
            return Math.Clamp((statistics.CongestionWindow ?? (512 * 1024)) * 2, 4 * Least, Most);
        }

        // Writes return when sent: it suffices to bridge the time until we are woken, which is a fraction of a round trip.
        var window = statistics.CongestionWindow ?? (256 * 1024);
        return Math.Clamp(window / 2, Least, Most / 4);
    }

    /// <summary>The largest piece of one object: a quarter of the window, so that several objects take turns.</summary>
    public static int Chunk(long window) => (int)Math.Clamp(window / 4, 4 * 1024, LargestChunk);
}
