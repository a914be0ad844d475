using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>What recovery knows of a path at one moment, as a record holds it. Times are microseconds, sizes bytes.</summary>
internal readonly record struct QlogMetrics(
    long MinRtt,
    long SmoothedRtt,
    long LatestRtt,
    long RttVariation,
    long Window,
    long BytesInFlight,
    long SlowStartThreshold,
    int Mtu,
    EcnState Ecn,
    QlogCongestionState Congestion)
{
    public const int Length = (7 * sizeof(long)) + sizeof(int) + 2;

    public static QlogMetrics Of(Transmission path) => new(
        path.Rtt.Minimum,
        path.Rtt.Smoothed,
        path.Rtt.Latest,
        path.Rtt.Variation,
        path.Congestion.Window,
        path.BytesInFlight,
        path.Congestion.SlowStartThreshold,
        path.Mtu.Current,
        path.Ecn.State,
        path.InRecovery ? QlogCongestionState.Recovery
            : path.Congestion.InSlowStart ? QlogCongestionState.SlowStart
            : QlogCongestionState.CongestionAvoidance);

    public static QlogMetrics Read(ref WireReader reader) => new(
        ReadLong(ref reader),
        ReadLong(ref reader),
        ReadLong(ref reader),
        ReadLong(ref reader),
        ReadLong(ref reader),
        ReadLong(ref reader),
        ReadLong(ref reader),
        reader.TryReadUInt32(out uint mtu) ? (int)mtu : 0,
        reader.TryReadByte(out byte ecn) ? (EcnState)ecn : default,
        reader.TryReadByte(out byte congestion) ? (QlogCongestionState)congestion : default);

    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt64((ulong)MinRtt);
        writer.WriteUInt64((ulong)SmoothedRtt);
        writer.WriteUInt64((ulong)LatestRtt);
        writer.WriteUInt64((ulong)RttVariation);
        writer.WriteUInt64((ulong)Window);
        writer.WriteUInt64((ulong)BytesInFlight);
        writer.WriteUInt64((ulong)SlowStartThreshold);
        writer.WriteUInt32((uint)Mtu);
        writer.WriteByte((byte)Ecn);
        writer.WriteByte((byte)Congestion);
    }

    private static long ReadLong(ref WireReader reader)
    {
        _ = reader.TryReadUInt64(out ulong value);
        return (long)value;
    }
}
