using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// One packet-number space (RFC 9000 section 12.3): the numbers it gives out, the packets that are on their way and
/// the frames they carry, and what was received in it. Each path has an application space of its own.
/// </summary>
/// <remarks>
/// To send a packet: use <see cref="NextPacketNumber"/> (it stays the same until the packet is sent), record its
/// frames in <see cref="Frames"/>, then call <see cref="LossRecovery.OnPacketSent"/>, or
/// <see cref="SentFrameLog.Discard"/> if it is not sent after all.
/// </remarks>
internal sealed class PacketNumberSpace : IDisposable
{
    private readonly SkippedPacketNumbers _skipped;

    public PacketNumberSpace(PacketNumberSpaceId id, RandomSource random, uint pathId = 0)
    {
        Id = id;
        PathId = pathId;
        _skipped = new SkippedPacketNumbers(random);
        Received = new ReceivedPackets(id, pathId: pathId);
    }

    public PacketNumberSpaceId Id { get; }

    /// <summary>The id of the path the space belongs to.</summary>
    public uint PathId { get; }

    /// <summary>What the packets on their way carry; the packet being built records here.</summary>
    public SentFrameLog Frames { get; } = new();

    /// <summary>The packets on their way.</summary>
    public SentPackets Sent { get; } = new();

    /// <summary>What came in: duplicates, the ranges to acknowledge, and when to.</summary>
    public ReceivedPackets Received { get; }

    /// <summary>The number of the next packet to be sent.</summary>
    public ulong NextPacketNumber { get; private set; }

    /// <summary>The largest number the peer acknowledged; the reference for packet-number truncation (RFC 9000 A.2).</summary>
    public ulong? LargestAcked { get; internal set; }

    /// <summary>
    /// Probes the probe timeout asked for and that were not sent yet: ack-eliciting packets, exempt from the
    /// congestion window, in datagrams of at most the base size (RFC 9002 section 6.2.4 and 7.5). Where there is
    /// nothing to send, a PING makes one.
    /// </summary>
    public int ProbesPending { get; internal set; }

    /// <summary>Keys are gone, and everything with them (RFC 9002 section 6.4).</summary>
    public bool IsDiscarded { get; private set; }

    /// <summary>Ack-eliciting packets neither acknowledged nor lost.</summary>
    public int AckElicitingOutstanding { get; internal set; }

    /// <summary>When the oldest packet that is on its way was sent; <see cref="long.MinValue"/> where none is.</summary>
    public long OldestSent => Sent.OutstandingCount == 0 ? long.MinValue : Sent[Sent.First].TimeSent;

    /// <summary>
    /// Since when acknowledgements have been owed without any coming: the last that came, or the first ack-eliciting packet after
    /// nothing was owed. Of no meaning while <see cref="AckElicitingOutstanding"/> is 0.
    /// </summary>
    internal long OwedSince { get; set; }

    /// <summary>When the last ack-eliciting packet was sent; <see cref="long.MinValue"/> before.</summary>
    public long LastAckElicitingSent { get; internal set; } = long.MinValue;

    /// <summary>When the time threshold will have a packet taken for lost; <see cref="long.MaxValue"/> for never.</summary>
    internal long LossTime { get; set; } = long.MaxValue;

    /// <summary>When the newest packet acknowledged so far was sent.</summary>
    internal long NewestAckedSentTime { get; set; } = long.MinValue;

    /// <summary>Packets sent since the last ack-eliciting one.</summary>
    internal int SentSinceAckEliciting { get; set; }

    /// <summary>The peer's ECN counts in the last ACK that was looked at.</summary>
    internal EcnCounts EcnCounts { get; set; }

    /// <summary>Packets sent with ECT(0).</summary>
    internal ulong MarkedSent { get; set; }

    internal RecentLosses RecentLosses { get; } = new();

    /// <summary>
    /// Whether a packet of <paramref name="size"/> bytes that counts as in flight may be sent over the network now.
    /// Ask only when there is something to send: a refusal shows that the network, not the application, was the limit.
    /// </summary>
    public SendPermission CanSend(Transmission transmission, int size, long now)
    {
        if (Sent.Length >= Limits.SentPackets || Frames.Count >= Limits.SentFrames)
        {
            transmission.OnHeldBack(now);
            return SendPermission.Bookkeeping;
        }

        return transmission.CanSend(size, now);
    }

    /// <summary>The next number is used; the one after it may be left out on purpose.</summary>
    internal void UsePacketNumber() => NextPacketNumber = _skipped.Following(NextPacketNumber);

    /// <summary>Whether the range holds a number that was left out on purpose.</summary>
    internal bool HasSkipped(PacketNumberRange range) => _skipped.IntersectsWith(range);

    /// <summary>Drops settled packets and what they carried.</summary>
    internal void Trim()
    {
        if (Sent.Trim())
        {
            Frames.FreeUpTo(Sent[Sent.First].FirstFrame);
        }
        else
        {
            Frames.FreeAll();
        }
    }

    internal void Discard()
    {
        IsDiscarded = true;
        AckElicitingOutstanding = 0;
        ProbesPending = 0;
        LossTime = long.MaxValue;
        RecentLosses.Clear();
        Received.Dispose();
        Dispose();
    }

    public void Dispose()
    {
        Sent.Dispose();
        Frames.Discard();
        Frames.FreeAll();
        Frames.Dispose();
    }
}
