using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Recovery;

/// <summary>
/// A sender with loss recovery, a bottleneck with a drop-tail queue, and a receiver with an ACK policy, in virtual
/// time. Whatever is lost is counted and replaced by new data: the sender always has something to send.
/// </summary>
internal sealed class LinkModel : IFrameOutcome, IDisposable
{
    private readonly Queue<(long Arrival, ulong Number, int Size, bool Eliciting, EcnCodepoint Ecn)> _wire = new();
    private readonly Queue<(long Arrival, byte[] Ack, int Length)> _back = new();
    private readonly Stack<byte[]> _buffers = new();
    private readonly ReceivedPackets _receiver = new(PacketNumberSpaceId.Application);
    private readonly SentFrameLog _receiverLog = new();
    private readonly Random _random;
    private readonly Bottleneck _bottleneck;
    private long _lastArrival;

    public LinkModel(int seed, CongestionController? congestion = null, int size = 1200, Bottleneck? bottleneck = null)
    {
        _bottleneck = bottleneck ?? new Bottleneck();
        _random = new Random(seed);
        Size = size;
        Path = new Transmission(0, congestion ?? new CubicController(size), new MtuDiscovery(size, enabled: false), ecnEnabled: true);
        Recovery = new LossRecovery(isClient: true, new Crypto.SeededRandomSource(seed), this, Path);
        Recovery.OnHandshakeConfirmed(0);
    }

    public int Size { get; }

    /// <summary>Bytes a second of the bottleneck.</summary>
    public double Rate
    {
        get => _bottleneck.Rate;
        set => _bottleneck.Rate = value;
    }

    /// <summary>Microseconds there and back without the queue.</summary>
    public long RoundTrip { get; set; } = 50_000;

    /// <summary>Bytes that wait at the bottleneck before it drops.</summary>
    public double Queue
    {
        get => _bottleneck.Queue;
        set => _bottleneck.Queue = value;
    }

    public double Loss { get; set; }

    public long Jitter { get; set; }

    /// <summary>Bytes in the queue at which the bottleneck marks instead of waiting for the drop.</summary>
    public double MarkAbove
    {
        get => _bottleneck.MarkAbove;
        set => _bottleneck.MarkAbove = value;
    }

    /// <summary>Bytes a second that the application has to send; what it cannot send at once waits.</summary>
    public double Offered { get; set; } = double.PositiveInfinity;

    /// <summary>What it had to send at the beginning, beside that; less than nothing where it began later.</summary>
    public double OfferedBefore { get; set; }

    /// <summary>Acknowledgements arrive only at multiples of this, in heaps, as over a radio link; 0 for when they come.</summary>
    public long AckSlot { get; set; }

    /// <summary>Called after each step.</summary>
    public Action<LinkModel>? Observer { get; set; }

    /// <summary>The application has nothing to send.</summary>
    public bool IsPaused { get; set; }

    public long Now { get; private set; }

    public LossRecovery Recovery { get; }

    public Transmission Path { get; }

    public ulong BytesReceived { get; private set; }

    public int QueueDrops { get; private set; }

    /// <summary>The narrow place.</summary>
    public Bottleneck Bottleneck => _bottleneck;

    public int FramesAcked { get; private set; }

    public int FramesLost { get; private set; }

    public long LargestWindow { get; private set; }

    public TransportError Error { get; private set; }

    void IFrameOutcome.OnAcked(in SentFrame frame, in SentPacket packet) => FramesAcked++;

    void IFrameOutcome.OnLost(in SentFrame frame, in SentPacket packet) => FramesLost++;

    /// <summary>Runs until the time, in microseconds; the driver wakes no more often than each <paramref name="tick"/>.</summary>
    public void RunUntil(long end, long tick = 1) => RunUntil(end, tick, this);

    /// <summary>Runs several that share a bottleneck, each packet at its time.</summary>
    public static void RunUntil(long end, long tick, params ReadOnlySpan<LinkModel> links)
    {
        while (links[0].Now < end && !links[0].Error.IsError)
        {
            long next = end;
            foreach (LinkModel link in links)
            {
                next = Math.Min(next, link.SendAndWait(tick));
            }

            foreach (LinkModel link in links)
            {
                link.GoTo(Math.Max(next, link.Now));
            }
        }
    }

    public void Dispose()
    {
        Recovery.Dispose();
        _receiverLog.Dispose();
    }

    private long SendAndWait(long tick)
    {
        long next = Math.Min(Send(), Recovery.NextTimeout);
        next = Math.Max(next, Now + tick);
        next = _wire.Count > 0 ? Math.Min(next, _wire.Peek().Arrival) : next;
        next = _back.Count > 0 ? Math.Min(next, _back.Peek().Arrival) : next;
        return Math.Min(next, _receiver.AckDeadline);
    }

    private void GoTo(long now)
    {
        Now = now;
        Receive();
        AcknowledgeIfDue();
        TakeAcks();
        Recovery.OnTimeout(Now);
        LargestWindow = Math.Max(LargestWindow, Path.Congestion.Window);
        Observer?.Invoke(this);
    }

    private long Send()
    {
        PacketNumberSpace space = Recovery.Application;
        while (true)
        {
            SentPacketFlags flags = RecoveryWorld.Eliciting;
            if (space.ProbesPending > 0)
            {
                flags |= SentPacketFlags.PtoProbe;
            }
            else if (IsPaused)
            {
                Path.OnNothingToSend(Now);
                return long.MaxValue;
            }
            else if (Path.BytesSent + (ulong)Size > OfferedBefore + (Offered * Now / 1e6))
            {
                Path.OnNothingToSend(Now);
                return (long)Math.Ceiling((Path.BytesSent + (ulong)Size - OfferedBefore) * 1e6 / Offered);
            }
            else
            {
                SendPermission permission = space.CanSend(Path, Size, Now);
                if (permission == SendPermission.Pacing)
                {
                    return Path.Pacer.NextSendTime(Size, Now);
                }

                if (permission != SendPermission.Allowed)
                {
                    return long.MaxValue;
                }
            }

            EcnCodepoint ecn = Path.Ecn.Mark;
            space.Frames.Record(SentFrame.Stream(0, space.NextPacketNumber, (uint)Size, false));
            ulong number = Recovery.OnPacketSent(space, Path, new PacketSent(Size, flags, EncryptionLevel.Application, Ecn: ecn), Now);
            Transmit(number, ecn);
        }
    }

    private void Transmit(ulong number, EcnCodepoint ecn)
    {
        double free = Math.Max(_bottleneck.FreeAt, Now);
        double waiting = (free - Now) * Rate / 1e6;
        if (_random.NextDouble() < Loss)
        {
            return;
        }

        if (waiting + Size > Queue || !_bottleneck.TryPass(Size, Now))
        {
            QueueDrops++;
            return;
        }

        if (waiting > MarkAbove && ecn == EcnCodepoint.Ect0)
        {
            ecn = EcnCodepoint.Ce;
        }

        _bottleneck.FreeAt = free + (Size * 1e6 / Rate);
        // A way that becomes shorter keeps the order all the same.
        _lastArrival = Math.Max(_lastArrival, (long)_bottleneck.FreeAt + (RoundTrip / 2));
        _wire.Enqueue((_lastArrival, number, Size, true, ecn));
    }

    private void Receive()
    {
        while (_wire.Count > 0 && _wire.Peek().Arrival <= Now)
        {
            (_, ulong number, int size, bool eliciting, EcnCodepoint ecn) = _wire.Dequeue();
            if (Jitter > 0 && _random.Next(20) == 0)
            {
                // Overtaken on the way: it comes again at the end of the line.
                _wire.Enqueue((Now + _random.NextInt64(Jitter), number, size, eliciting, ecn));
                continue;
            }

            if (!_receiver.IsDuplicate(number))
            {
                BytesReceived += (ulong)size;
                _receiver.OnReceived(number, eliciting, ecn, Now);
                AcknowledgeIfDue();
            }
        }
    }

    private void AcknowledgeIfDue()
    {
        if (!_receiver.IsAckDue(Now))
        {
            return;
        }

        byte[] buffer = _buffers.Count > 0 ? _buffers.Pop() : new byte[1200];
        var writer = new WireWriter(buffer);
        Assert.IsTrue(_receiver.TryWriteAck(ref writer, _receiverLog, 3, Now));
        _receiverLog.Commit();
        _receiverLog.FreeAll();
        long arrival = Now + (RoundTrip / 2);
        arrival = AckSlot == 0 ? arrival : (arrival + AckSlot - 1) / AckSlot * AckSlot;
        _back.Enqueue((arrival, buffer, writer.Position));
    }

    private void TakeAcks()
    {
        while (_back.Count > 0 && _back.Peek().Arrival <= Now)
        {
            (_, byte[] ack, int length) = _back.Dequeue();
            var reader = new WireReader(ack.AsSpan(0, length));
            Assert.IsTrue(reader.TryReadVarInt(out ulong type));
            Assert.IsTrue(AckFrame.TryParse(type, ref reader, out AckFrame frame));
            if (_random.NextDouble() >= Loss)
            {
                TransportError error = Recovery.OnAckReceived(Recovery.Application, frame, Now);
                Error = Error.IsError ? Error : error;

                // As if the peer had heard that its ACK arrived a round trip ago.
                if (frame.LargestAcknowledged > 2_000)
                {
                    _receiver.OnAckAcked(frame.LargestAcknowledged - 2_000);
                }
            }

            _buffers.Push(ack);
        }
    }
}
