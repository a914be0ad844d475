using System.Numerics;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.MsQuic;

/// <summary>
/// Post's rank of a stream in the 16 bits that msquic has for it, where more is more urgent. Each niceness has 16 of them:
/// the lowest for no deadline, the others for deadlines by powers of two of the time that is left.
/// </summary>
internal static class StreamRank
{
    /// <summary>What a stream has by itself, and Post's usual niceness without a deadline.</summary>
    public const ushort Default = 0x7FFF;

    private const int Band = 16;
    private const int LastBand = Default / Band;

    public static ushort Of(in TransportPriority priority, TimeProvider time)
    {
        if (priority.Niceness < 0)
        {
            return ushort.MaxValue;
        }

        int band = Math.Min(priority.Niceness - ObjectProperties.DefaultNiceness, LastBand);
        return (ushort)(Default - (band * Band) + Urgency(priority.Deadline, time));
    }

    private static int Urgency(long deadline, TimeProvider time)
    {
        if (deadline == TransportPriority.NoDeadline)
        {
            return 0;
        }

        double left = time.GetElapsedTime(time.GetTimestamp(), deadline).TotalMilliseconds;
        int magnitude = left < 1 ? 0 : BitOperations.Log2((uint)Math.Min(left, uint.MaxValue));
        return Math.Max(1, Band - 1 - magnitude);
    }
}
