using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// The received packets of one space: which were seen, which are to be acknowledged, when, and with what ECN counts
/// (RFC 9000 section 13.2).
/// </summary>
/// <remarks>
/// For each authenticated packet: <see cref="IsDuplicate"/>, then its frames, then <see cref="OnReceived"/>. When
/// building packets: <see cref="IsAckDue"/> says that an ACK must be sent, <see cref="HasUnacknowledged"/> that one is
/// worth adding to a packet that is sent anyway, and <see cref="TryWriteAck"/> writes it.
/// </remarks>
internal sealed class ReceivedPackets
{
    // RFC 9000 section 13.2.2: at least every second ack-eliciting packet.
    private const ulong DefaultAckElicitingThreshold = 1;

    private const ulong DefaultReorderingThreshold = 1;

    private readonly PacketNumberSpaceId _space;
    private readonly uint _pathId;
    private readonly DuplicateFilter _duplicates;

    // The largest first, as ACK frames have them.
    private PacketNumberRange[] _ranges = [];
    private int _rangeCount;
    private ulong _ackElicitingThreshold = DefaultAckElicitingThreshold;
    private ulong _reorderingThreshold = DefaultReorderingThreshold;
    private long _maxAckDelay;
    private ulong? _ackFrequencySequence;
    private ulong _unacknowledged;
    private bool _ackNow;
    private bool _anyUnreported;
    private long _ackSentTime;
    private ulong? _largestAckEliciting;
    private ulong? _largestAckSent;
    private long _largestReceivedTime;
    private EcnCounts _ecn;

    public ReceivedPackets(PacketNumberSpaceId space, long maxAckDelay = DefaultMaxAckDelay, uint pathId = 0)
    {
        _space = space;
        _pathId = pathId;
        _maxAckDelay = maxAckDelay;
        _duplicates = new DuplicateFilter(space == PacketNumberSpaceId.Application
            ? Limits.DuplicateWindow
            : Limits.HandshakeDuplicateWindow);
    }

    /// <summary>RFC 9000 section 18.2: max_ack_delay where the transport parameter is absent, in microseconds.</summary>
    public const long DefaultMaxAckDelay = 25_000;

    /// <summary>The largest number received; the reference for decoding truncated ones (RFC 9000 A.3).</summary>
    public ulong? Largest { get; private set; }

    /// <summary>The ranges to acknowledge, the largest first.</summary>
    public ReadOnlySpan<PacketNumberRange> Ranges => _ranges.AsSpan(0, _rangeCount);

    public EcnCounts EcnCounts => _ecn;

    /// <summary>Packets that came twice, or too late to tell.</summary>
    public ulong Duplicates { get; private set; }

    /// <summary>An ack-eliciting packet came that no ACK has reported yet.</summary>
    public bool HasUnacknowledged => _unacknowledged > 0;

    /// <summary>
    /// Something came, if only ACKs, that no ACK since <paramref name="since"/> has reported. They need no answer, but a
    /// packet that goes anyway may tell (RFC 9000 section 13.2.1): a peer whose data was all lost has nothing but its ACKs
    /// to learn from that the way is open again, long before its backed-off probe timeout.
    /// </summary>
    public bool HasUnreported(long since) => _anyUnreported && _ackSentTime <= since;

    /// <summary>When an ACK must be sent at the latest; <see cref="long.MaxValue"/> if none is owed.</summary>
    public long AckDeadline { get; private set; } = long.MaxValue;

    /// <summary>The longest we hold an ACK back, in microseconds: our max_ack_delay, until the peer asks otherwise.</summary>
    public long MaxAckDelay
    {
        get => _maxAckDelay;
        set => _maxAckDelay = value;
    }

    /// <summary>Whether an ACK is owed now.</summary>
    public bool IsAckDue(long now) => _ackNow || now >= AckDeadline;

    /// <summary>Asked after authentication and before any frame is processed: drop the packet if so.</summary>
    public bool IsDuplicate(ulong packetNumber)
    {
        if (_duplicates.IsNew(packetNumber))
        {
            return false;
        }

        Duplicates++;
        return true;
    }

    /// <summary>Gives up what tells late packets from duplicates.</summary>
    public void Rest() => _duplicates.Rest();

    /// <summary>A new packet was processed.</summary>
    public void OnReceived(ulong packetNumber, bool ackEliciting, EcnCodepoint ecn, long now)
    {
        _duplicates.Add(packetNumber);
        _anyUnreported = true;
        bool isLargest = Largest is not { } largest || packetNumber > largest;
        if (isLargest)
        {
            Largest = packetNumber;
            _largestReceivedTime = now;
        }

        Insert(packetNumber);
        CountEcn(ecn);
        if (!ackEliciting)
        {
            // RFC 9000 section 13.2.1: such packets are never answered on their own, or two ends would acknowledge
            // each other's ACKs for ever.
            return;
        }

        _unacknowledged++;
        if (MustAckNow(packetNumber, ecn))
        {
            _ackNow = true;
        }
        else if (AckDeadline == long.MaxValue)
        {
            AckDeadline = now + _maxAckDelay;
        }

        _largestAckEliciting = Math.Max(_largestAckEliciting ?? 0, packetNumber);
    }

    /// <summary>IMMEDIATE_ACK was received (draft-ietf-quic-ack-frequency section 5).</summary>
    public void RequestAck() => _ackNow = true;

    /// <summary>
    /// ACK_FREQUENCY was received (draft-ietf-quic-ack-frequency section 4), its delay not below our min_ack_delay.
    /// Older frames than the newest one are ignored.
    /// </summary>
    public void OnAckFrequency(in AckFrequencyFrame frame)
    {
        if (_ackFrequencySequence is { } newest && frame.SequenceNumber <= newest)
        {
            return;
        }

        _ackFrequencySequence = frame.SequenceNumber;
        _ackElicitingThreshold = frame.AckElicitingThreshold;
        _reorderingThreshold = frame.ReorderingThreshold;
        _maxAckDelay = (long)Math.Min(frame.RequestedMaxAckDelay, Limits.RequestedAckDelay);
    }

    /// <summary>
    /// Writes an ACK frame of as many ranges as fit and records it in <paramref name="log"/>; false, with nothing
    /// written, if there is nothing to acknowledge or no room.
    /// </summary>
    public bool TryWriteAck(ref WireWriter writer, SentFrameLog log, int ackDelayExponent, long now, bool asPathAck = false)
    {
        // RFC 9000 section 13.2.5: time on our side since the largest was received; of no use before 1-RTT.
        long held = _space == PacketNumberSpaceId.Application ? Math.Max(now - _largestReceivedTime, 0) : 0;
        if (!AckFrameWriter.TryWrite(ref writer, Ranges, (ulong)held >> ackDelayExponent, _ecn, out _, asPathAck ? _pathId : null))
        {
            return false;
        }

        log.Record(SentFrame.OfPath(SentFrameKind.Ack, _pathId, _ranges[0].Largest));
        _largestAckSent = _ranges[0].Largest;
        _ackSentTime = now;
        _anyUnreported = false;
        _unacknowledged = 0;
        _ackNow = false;
        AckDeadline = long.MaxValue;
        return true;
    }

    /// <summary>
    /// An ACK of ours that reported up to <paramref name="largest"/> arrived: the peer knows, so what it reported need
    /// not be said again (RFC 9000 section 13.2.4).
    /// </summary>
    public void OnAckAcked(ulong largest)
    {
        // The largest number stays: without it the next gap above it would not be seen.
        while (_rangeCount > 1 && _ranges[_rangeCount - 1].Largest <= largest)
        {
            _rangeCount--;
        }

        if (_rangeCount > 0 && _ranges[_rangeCount - 1].Smallest <= largest)
        {
            PacketNumberRange last = _ranges[_rangeCount - 1];
            _ranges[_rangeCount - 1] = new PacketNumberRange(Math.Min(largest + 1, last.Largest), last.Largest);
        }
    }

    /// <summary>An ACK of ours was lost: what it reported is news again.</summary>
    public void OnAckLost() => _anyUnreported = _rangeCount > 0;

    /// <summary>Keys are gone: nothing is received or acknowledged any more.</summary>
    public void Dispose()
    {
        _rangeCount = 0;
        _ranges = [];
        _unacknowledged = 0;
        _ackNow = false;
        AckDeadline = long.MaxValue;
        _duplicates.Release();
    }

    private bool MustAckNow(ulong packetNumber, EcnCodepoint ecn)
    {
        // RFC 9000 section 13.2.1: Initial and Handshake at once; CE marks at once, since the sender should slow down.
        if (_space != PacketNumberSpaceId.Application
            || ecn == EcnCodepoint.Ce
            || _unacknowledged > _ackElicitingThreshold)
        {
            return true;
        }

        // draft-ietf-quic-ack-frequency section 4: 0 asks for no immediate acknowledgement of reordering.
        if (_reorderingThreshold == 0)
        {
            return false;
        }

        // RFC 9000 section 13.2.1: a packet that comes late.
        ulong largest = Math.Max(_largestAckEliciting ?? 0, packetNumber);
        if (_reorderingThreshold == 1 && packetNumber < largest)
        {
            return true;
        }

        return _rangeCount > 1 && HasUnreportedGap(largest);
    }

    /// <summary>
    /// draft-ietf-quic-ack-frequency section 6.2: whether a number is missing that no ACK has let the sender take for
    /// lost, by as much as the threshold. With a threshold of 1: any gap above the largest acknowledged.
    /// </summary>
    private bool HasUnreportedGap(ulong largest)
    {
        ulong reported = _largestAckSent is { } sent && sent + 1 >= _reorderingThreshold
            ? sent - _reorderingThreshold + 1
            : 0;
        for (int i = 0; i + 1 < _rangeCount; i++)
        {
            // The gap below this range, from its smallest number down; the smallest unreported one in it decides.
            ulong highestMissing = _ranges[i].Smallest - 1;
            if (highestMissing <= reported)
            {
                return false;
            }

            ulong lowestMissing = Math.Max(_ranges[i + 1].Largest, reported) + 1;
            if (largest > lowestMissing && largest - lowestMissing >= _reorderingThreshold)
            {
                return true;
            }
        }

        return false;
    }

    private void CountEcn(EcnCodepoint ecn)
    {
        switch (ecn)
        {
            case EcnCodepoint.Ect0:
                _ecn = _ecn with { Ect0 = _ecn.Ect0 + 1 };
                break;
            case EcnCodepoint.Ect1:
                _ecn = _ecn with { Ect1 = _ecn.Ect1 + 1 };
                break;
            case EcnCodepoint.Ce:
                _ecn = _ecn with { Ce = _ecn.Ce + 1 };
                break;
            default:
                break;
        }
    }

    private void Insert(ulong packetNumber)
    {
        // The usual packet is the next one.
        if (_rangeCount > 0 && _ranges[0].Largest + 1 == packetNumber)
        {
            _ranges[0] = new PacketNumberRange(_ranges[0].Smallest, packetNumber);
            return;
        }

        int at = 0;
        while (at < _rangeCount && _ranges[at].Smallest > packetNumber + 1)
        {
            at++;
        }

        if (at < _rangeCount && _ranges[at].Smallest == packetNumber + 1)
        {
            // Joins the range above, and perhaps the one below as well.
            ulong smallest = packetNumber;
            if (at + 1 < _rangeCount && _ranges[at + 1].Largest + 1 == packetNumber)
            {
                smallest = _ranges[at + 1].Smallest;
                RemoveAt(at + 1);
            }

            _ranges[at] = new PacketNumberRange(smallest, _ranges[at].Largest);
        }
        else if (at < _rangeCount && _ranges[at].Largest + 1 == packetNumber)
        {
            _ranges[at] = new PacketNumberRange(_ranges[at].Smallest, packetNumber);
        }
        else
        {
            InsertAt(at, new PacketNumberRange(packetNumber, packetNumber));
        }
    }

    private void InsertAt(int index, PacketNumberRange range)
    {
        if (_rangeCount == Limits.AckRanges)
        {
            // The oldest is forgotten; the peer will have to send again what it did not hear of.
            if (index == _rangeCount)
            {
                return;
            }

            _rangeCount--;
        }

        if (_rangeCount == _ranges.Length)
        {
            Array.Resize(ref _ranges, Math.Min(Math.Max(4, _ranges.Length * 2), Limits.AckRanges));
        }

        Array.Copy(_ranges, index, _ranges, index + 1, _rangeCount - index);
        _ranges[index] = range;
        _rangeCount++;
    }

    private void RemoveAt(int index)
    {
        _rangeCount--;
        Array.Copy(_ranges, index + 1, _ranges, index, _rangeCount - index);
    }
}
