using System.Runtime.InteropServices;

namespace Post.Quic.MsQuic.Native;

/// <summary>The beginning of msquic's QUIC_STATISTICS_V2, as far as Post reads it; later versions append.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeStatistics
{
    private const int EcnCapableBit = 5;

    public ulong CorrelationId;
    public uint Flags;
    public uint SmoothedRttMicroseconds;
    public uint MinRttMicroseconds;
    public uint MaxRttMicroseconds;
    public ulong TimingStart;
    public ulong TimingInitialFlightEnd;
    public ulong TimingHandshakeFlightEnd;
    public uint HandshakeClientFlight1Bytes;
    public uint HandshakeServerFlight1Bytes;
    public uint HandshakeClientFlight2Bytes;
    public ushort SendPathMtu;
    public ulong SendTotalPackets;
    public ulong SendRetransmittablePackets;
    public ulong SendSuspectedLostPackets;
    public ulong SendSpuriousLostPackets;
    public ulong SendTotalBytes;
    public ulong SendTotalStreamBytes;
    public uint SendCongestionCount;
    public uint SendPersistentCongestionCount;
    public ulong ReceivedTotalPackets;
    public ulong ReceivedReorderedPackets;
    public ulong ReceivedDroppedPackets;
    public ulong ReceivedDuplicatePackets;
    public ulong ReceivedTotalBytes;
    public ulong ReceivedTotalStreamBytes;
    public ulong ReceivedDecryptionFailures;
    public ulong ReceivedValidAckFrames;
    public uint KeyUpdateCount;
    public uint SendCongestionWindow;

    public readonly bool IsEcnCapable => (Flags & (1u << EcnCapableBit)) != 0;

    public readonly long PacketsLost => (long)SendSuspectedLostPackets - (long)SendSpuriousLostPackets;
}
