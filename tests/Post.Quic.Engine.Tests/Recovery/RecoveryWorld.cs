using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>Loss recovery with one path, in virtual time, that remembers what it was told of every frame.</summary>
internal sealed class RecoveryWorld : IFrameOutcome
{
    public const int Size = 1200;
    public const SentPacketFlags Eliciting = SentPacketFlags.AckEliciting | SentPacketFlags.InFlight;
    public const long Millisecond = 1_000;

    private readonly byte[] _buffer = new byte[4096];

    public RecoveryWorld(
        bool isClient = true,
        bool confirmed = true,
        RandomSource? random = null,
        CongestionController? congestion = null,
        bool ecn = false,
        int mtuLimit = MtuDiscovery.BaseSize)
    {
        Path = new Transmission(0, congestion ?? new NewRenoController(Size), new MtuDiscovery(mtuLimit), ecn);
        Recovery = new LossRecovery(isClient, random ?? new LateSkips(), this, Path);
        if (confirmed)
        {
            Recovery.OnHandshakeConfirmed(Now);
        }
    }

    public long Now { get; set; } = 10_000_000;

    public LossRecovery Recovery { get; }

    public Transmission Path { get; }

    public PacketNumberSpace Application => Recovery.Application;

    public List<(SentFrame Frame, ulong PacketNumber)> Acked { get; } = [];

    public List<(SentFrame Frame, ulong PacketNumber)> Lost { get; } = [];

    public List<SentFrame> ArrivedLate { get; } = [];

    public List<SentFrame> Overdue { get; } = [];

    public IEnumerable<ulong> LostNumbers => Lost.Select(l => l.PacketNumber);

    void IFrameOutcome.OnAcked(in SentFrame frame, in SentPacket packet) => Acked.Add((frame, packet.PacketNumber));

    void IFrameOutcome.OnLost(in SentFrame frame, in SentPacket packet) => Lost.Add((frame, packet.PacketNumber));

    void IFrameOutcome.OnOverdue(in SentFrame frame) => Overdue.Add(frame);

    void IFrameOutcome.OnArrivedLate(in SentFrame frame) => ArrivedLate.Add(frame);

    /// <summary>Sends a packet with one STREAM frame, unless it is given another; returns its number.</summary>
    public ulong Send(
        PacketNumberSpace? space = null,
        int size = Size,
        SentPacketFlags flags = Eliciting,
        SentFrame? frame = null,
        EcnCodepoint ecn = EcnCodepoint.NotEct,
        EncryptionLevel level = EncryptionLevel.Application,
        Transmission? path = null)
    {
        space ??= Application;
        if (frame is { } one)
        {
            space.Frames.Record(one);
        }
        else if ((flags & SentPacketFlags.MtuProbe) == 0 && (flags & SentPacketFlags.AckEliciting) != 0)
        {
            space.Frames.Record(SentFrame.Stream(0, space.NextPacketNumber * Size, Size, false));
        }

        return Recovery.OnPacketSent(space, path ?? Path, new PacketSent(size, flags, level, Ecn: ecn), Now);
    }

    /// <summary>Sends several packets at once; returns the number of the first.</summary>
    public ulong SendMany(int count, PacketNumberSpace? space = null)
    {
        ulong first = (space ?? Application).NextPacketNumber;
        for (int i = 0; i < count; i++)
        {
            Send(space);
        }

        return first;
    }

    public TransportError Ack(ulong number, PacketNumberSpace? space = null, long delay = 0, EcnCounts ecn = default) =>
        AckRanges([new PacketNumberRange(number, number)], space, delay, ecn);

    public TransportError Ack(ulong smallest, ulong largest) =>
        AckRanges([new PacketNumberRange(smallest, largest)]);

    /// <summary>Delivers an ACK frame of the ranges, the largest first; the delay is in microseconds.</summary>
    public TransportError AckRanges(
        ReadOnlySpan<PacketNumberRange> ranges,
        PacketNumberSpace? space = null,
        long delay = 0,
        EcnCounts ecn = default)
    {
        var writer = new WireWriter(_buffer);
        Assert.IsTrue(AckFrameWriter.TryWrite(ref writer, ranges, (ulong)delay >> 3, ecn, out _));
        var reader = new WireReader(writer.Written);
        Assert.IsTrue(reader.TryReadVarInt(out ulong type));
        Assert.IsTrue(AckFrame.TryParse(type, ref reader, out AckFrame frame));
        return Recovery.OnAckReceived(space ?? Application, frame, Now);
    }

    /// <summary>Sends and acknowledges a packet with the given round trip.</summary>
    public void MeasureRtt(long rtt)
    {
        ulong number = Send();
        Now += rtt;
        Assert.IsFalse(Ack(number).IsError);
    }

    /// <summary>Goes to the next timeout and handles it.</summary>
    public void ExpireTimeout()
    {
        Assert.AreNotEqual(long.MaxValue, Recovery.NextTimeout, "No timeout is armed.");
        Now = Math.Max(Now, Recovery.NextTimeout);
        Recovery.OnTimeout(Now);
    }

    /// <summary>Skips the first packet number as late as can be, so that short tests can count.</summary>
    private sealed class LateSkips : RandomSource
    {
        public override void Fill(Span<byte> destination) => destination.Fill(0xff);
    }
}
