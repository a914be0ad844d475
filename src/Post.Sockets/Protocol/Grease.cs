namespace Post.Sockets.Protocol;

/// <summary>
/// Types that mean nothing and are sent at random, so that no peer or middlebox comes to rely on unknown types never
/// appearing: those of the form 31*N+27.
/// </summary>
internal static class Grease
{
    private const long Step = 31;
    private const long First = 27;

    // A 62-bit type costs eight bytes; this keeps nearly all of them at four and still exercises every length.
    private const long MaxN = 1L << 24;

    public static bool IsGrease(long type) => type >= First && (type - First) % Step == 0;

    /// <summary>The greased type that <paramref name="random"/> picks.</summary>
    public static long Pick(ulong random) => First + (Step * (long)(random % MaxN));
}
