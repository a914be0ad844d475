using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// What recovery knows of one network: its round trip, congestion window, pacing, ECN and datagram size, and how many
/// bytes are on it. Another address gets a new one (RFC 9000 section 9.4).
/// </summary>
internal sealed class Transmission
{
    private const int DefaultPacketThreshold = 3;
    private const int DefaultTimeThresholdEighths = 9;
    private const int MaxTimeThresholdEighths = 16;

    // The window or its pacing was the limit; the window was; the last time one of them was when something was to be sent.
    private long _limitedTime = long.MinValue;
    private long _windowFullTime = long.MinValue;
    private long _refusedTime = long.MinValue;

    // Not readonly: it is changed in place.
    private DeliverySampler _delivery;
    private int _epochLosses;
    private int _epochSpurious;
    private bool _repairAllowed;

    public Transmission(
        byte index,
        CongestionController congestion,
        MtuDiscovery mtu,
        bool ecnEnabled,
        long initialRtt = RttEstimator.InitialRtt)
    {
        Index = index;
        Congestion = congestion;
        Mtu = mtu;
        Rtt = new RttEstimator(initialRtt);
        Pacer = new Pacer(congestion.MaxDatagramSize);
        Ecn = new EcnValidator(ecnEnabled);
    }

    /// <summary>Its place among the networks of the path, as sent packets name it.</summary>
    public byte Index { get; }

    public RttEstimator Rtt { get; }

    public CongestionController Congestion { get; private set; }

    public Pacer Pacer { get; }

    public EcnValidator Ecn { get; }

    public MtuDiscovery Mtu { get; }

    public long BytesInFlight { get; private set; }

    public ulong PacketsSent { get; private set; }

    public ulong BytesSent { get; private set; }

    public ulong PacketsLost { get; private set; }

    public ulong BytesLost { get; private set; }

    /// <summary>Packets that were taken for lost and arrived after all.</summary>
    public ulong PacketsSpuriouslyLost { get; private set; }

    /// <summary>Bytes acknowledged, of packets that counted towards bytes in flight.</summary>
    public ulong BytesDelivered => _delivery.Delivered;

    /// <summary>Bytes a second the path delivered lately; 0 before it was measured.</summary>
    public long DeliveryRate { get; private set; }

    /// <summary>The highest rate of deliveries that the path, not the application, limited; lower once that is stale.</summary>
    public long EstimatedBandwidth { get; private set; }

    /// <summary>RFC 9002 section 6.1.1: by how many numbers a packet may be overtaken; grows with the reordering seen.</summary>
    public int PacketThreshold { get; private set; } = DefaultPacketThreshold;

    /// <summary>RFC 9002 section 6.1.2: how long after a packet that was acknowledged an earlier one counts as lost.</summary>
    public long LossDelay => Math.Max(
        Math.Max(Rtt.Latest, Rtt.Smoothed) * TimeThresholdEighths / 8,
        RttEstimator.Granularity);

    /// <summary>In a recovery period: something sent before it began is still on its way.</summary>
    public bool InRecovery =>
        Congestion.RecoveryStartTime != long.MinValue && NewestAckedSentTime <= Congestion.RecoveryStartTime;

    internal int TimeThresholdEighths { get; private set; } = DefaultTimeThresholdEighths;

    internal long NewestAckedSentTime { get; private set; } = long.MinValue;

    // Sums over the ACK being processed; LossRecovery begins and ends them.
    internal long AckedBytes { get; private set; }

    internal long GrowthBytes { get; private set; }

    internal int AckedMarked { get; private set; }

    private long PriorBytesInFlight { get; set; }

    internal long RttSample { get; set; }

    // The losses being detected; LossDetector begins and ends them.
    internal long LostRunLongest { get; private set; }

    internal long LostRunLongestStart { get; private set; }

    private long LostRunStart { get; set; }

    private long LargestLostSentTime { get; set; }

    private int CongestionLosses { get; set; }

    /// <summary>
    /// RFC 9002 sections 7 and 7.3.2: when recovery is entered and the window reduced at once, a single packet may leave all the same, so
    /// that what was lost is sent again now and not when the rest of a full window has been acknowledged.
    /// </summary>
    private bool MayRepair => _repairAllowed && InRecovery;

    /// <summary>Bytes that the window has room for now.</summary>
    public long WindowRoom => MayRepair ? long.MaxValue : Congestion.Window - BytesInFlight;

    /// <summary>
    /// Whether the probe <see cref="MtuDiscovery.NextProbe"/> asks for may be sent: also into a full window, or a bulk
    /// sender would never find out; but not larger than the window, or one packet could overrun the path.
    /// </summary>
    public bool CanSendMtuProbe(int size) => size <= Congestion.Window;

    /// <summary>
    /// Whether the congestion window has room; a full window counts as used, so that what is acknowledged now lets it
    /// grow (RFC 9002 section 7.8).
    /// </summary>
    internal SendPermission CanSend(int size, long now)
    {
        // Only a sender that has something to send asks: a refusal is proof that the window or its pacing was the
        // limit and not the application.
        if (BytesInFlight + size > Congestion.Window)
        {
            _limitedTime = _windowFullTime = _refusedTime = now;
            return MayRepair ? SendPermission.Allowed : SendPermission.CongestionWindow;
        }

        if (!Pacer.CanSend(size, now))
        {
            _limitedTime = _refusedTime = now;
            return SendPermission.Pacing;
        }

        return SendPermission.Allowed;
    }

    /// <summary>Something that is to be sent waits for another reason than the application.</summary>
    internal void OnHeldBack(long now) => _refusedTime = now;

    /// <summary>
    /// All was sent that could be. Where neither the window nor its pacing held anything back, the application is the limit, and what is
    /// measured in the next round trip says less than the network can do (draft-ietf-ccwg-bbr section 4.1.2.4).
    /// </summary>
    internal void OnNothingToSend(long now)
    {
        if (_refusedTime != now && BytesInFlight < Congestion.Window)
        {
            _delivery.MarkAppLimited(BytesInFlight);
        }
    }

    /// <summary>Another controller goes on from here, with the window that there is.</summary>
    internal void Use(CongestionController congestion, long now)
    {
        congestion.Continue(Congestion, Rtt.HasSample ? Rtt.Smoothed : 0);
        Congestion = congestion;
        if (Rtt.HasSample)
        {
            UpdatePacing(now);
        }
    }

    internal void UpdatePacing(long now)
    {
        Pacer.SetMaxDatagramSize(Congestion.MaxDatagramSize);
        Pacer.SetRate(Congestion.PacingRate(Rtt.Smoothed), now);
    }

    internal void OnSent(ref SentPacket packet)
    {
        PacketsSent++;
        BytesSent += packet.Size;
        if (!packet.IsInFlight)
        {
            return;
        }

        if (BytesInFlight == 0 && _delivery.IsAppLimited && Rtt.HasSample)
        {
            Congestion.OnRestart(packet.TimeSent);
            UpdatePacing(packet.TimeSent);
        }

        _delivery.OnSent(ref packet, BytesInFlight);
        BytesInFlight += packet.Size;
        _repairAllowed = false;
        Pacer.OnSent(packet.Size, packet.TimeSent);
        Congestion.OnPacketSent(packet.Size, BytesInFlight, packet.TimeSent);

        // A window used up to the last datagram is full even if nobody asks for more. In slow start half of it is
        // enough: the window doubles in a round trip, and what is sent is spread over that.
        if (BytesInFlight + Congestion.MaxDatagramSize > Congestion.Window)
        {
            _limitedTime = _windowFullTime = packet.TimeSent;
        }
        else if (Congestion.InSlowStart && BytesInFlight * 2 > Congestion.Window)
        {
            _limitedTime = packet.TimeSent;
        }
    }

    internal void BeginAck()
    {
        AckedBytes = GrowthBytes = RttSample = 0;
        AckedMarked = 0;
        PriorBytesInFlight = BytesInFlight;
        _delivery.BeginAck();
    }

    internal void OnPacketAcked(in SentPacket packet, long now)
    {
        NewestAckedSentTime = Math.Max(NewestAckedSentTime, packet.TimeSent);
        if (packet.SentWithEct)
        {
            AckedMarked++;
        }

        if (!packet.IsInFlight)
        {
            return;
        }

        LeaveFlight(packet);
        _delivery.OnAcked(packet);
        AckedBytes += packet.Size;
        if (packet.IsMtuProbe)
        {
            Mtu.OnProbeAcked(packet.Size, now);
            if (Mtu.Current != Congestion.MaxDatagramSize)
            {
                Congestion.SetMaxDatagramSize(Mtu.Current);
            }
        }

        if (packet.TimeSent > Congestion.RecoveryStartTime && packet.TimeSent <= _limitedTime)
        {
            GrowthBytes += packet.Size;
        }

        if (!packet.IsMtuProbe)
        {
            Mtu.OnPacketAcked(packet.Size, packet.TimeSent);
        }
    }

    /// <summary>Ends the sums of an ACK: the window may grow unless the ACK also revealed congestion.</summary>
    internal void EndAck(long now, bool congested)
    {
        if (AckedBytes == 0)
        {
            return;
        }

        DeliverySample delivery = _delivery.EndAck(Rtt.Minimum, now);
        TakeRate(delivery);
        Congestion.OnAcked(new AckSample
        {
            Now = now,
            AckedBytes = AckedBytes,
            GrowthBytes = congested ? 0 : GrowthBytes,
            NewestSentTime = _delivery.NewestSentTime,
            RttSample = RttSample,
            SmoothedRtt = Rtt.Smoothed,
            MinimumRtt = Rtt.Minimum,
            BytesInFlight = BytesInFlight,
            PriorBytesInFlight = PriorBytesInFlight,
            IsWindowLimited = _delivery.NewestSentTime <= _windowFullTime,
            Delivery = delivery,
        });
        if (Congestion.IsProbingRoundTrip)
        {
            // draft-ietf-ccwg-bbr section 5.3.4.3, HandleProbeRTT.
            _delivery.MarkAppLimited(BytesInFlight);
        }
    }

    internal void LeaveFlight(in SentPacket packet) => BytesInFlight -= packet.Size;

    internal void BeginLosses()
    {
        LargestLostSentTime = long.MinValue;
        LostRunStart = long.MaxValue;
        LostRunLongest = 0;
        CongestionLosses = 0;
    }

    /// <summary>A packet between the lost ones was acknowledged.</summary>
    internal void EndLostRun() => LostRunStart = long.MaxValue;

    internal void OnPacketLost(in SentPacket packet, long now)
    {
        PacketsLost++;
        BytesLost += packet.Size;
        if (packet.SentWithEct)
        {
            Ecn.OnMarkedPacketLost();
        }

        if (!packet.IsInFlight)
        {
            return;
        }

        LeaveFlight(packet);
        if (packet.IsMtuProbe)
        {
            // RFC 9000 section 14.4: the loss of a probe is no sign of congestion.
            Mtu.OnProbeLost(packet.Size, now);
            return;
        }

        if ((packet.Flags & SentPacketFlags.PathProbe) != 0)
        {
            // RFC 9000 section 9.4: nor is that of a packet that asks whether there is a path.
            return;
        }

        Mtu.OnPacketLost(packet.Size, packet.TimeSent, now);
        CongestionLosses++;
        Congestion.OnPacketLost(new LossSample
        {
            Now = now,
            PacketNumber = packet.PacketNumber,
            TimeSent = packet.TimeSent,
            Size = packet.Size,
            SentInFlight = packet.SentInFlight,
            Lost = _delivery.OnLost(packet),
            TotalDelivered = _delivery.Delivered,
            IsAppLimited = packet.IsAppLimited,
        });
        LargestLostSentTime = Math.Max(LargestLostSentTime, packet.TimeSent);

        // RFC 9002 section 7.6.2: both ends of the silence are ack-eliciting, and a round trip was known before it.
        if (packet.IsAckEliciting && packet.TimeSent > Rtt.FirstSampleTime)
        {
            LostRunStart = Math.Min(LostRunStart, packet.TimeSent);
            if (packet.TimeSent - LostRunStart >= LostRunLongest)
            {
                LostRunLongest = packet.TimeSent - LostRunStart;
                LostRunLongestStart = LostRunStart;
            }
        }
    }

    /// <summary>Whether large datagrams have begun to vanish; then everything follows the base size.</summary>
    internal bool DetectBlackHole(long now)
    {
        if (!Mtu.DetectBlackHole(now))
        {
            return false;
        }

        Congestion.SetMaxDatagramSize(Mtu.Current);
        return true;
    }

    /// <summary>The machine refused datagrams of a size (EMSGSIZE).</summary>
    internal void OnTooBig(int size, long now)
    {
        Mtu.OnRefused(size, now);
        if (Mtu.Current != Congestion.MaxDatagramSize)
        {
            Congestion.SetMaxDatagramSize(Mtu.Current);
        }
    }

    /// <summary>The losses since <see cref="BeginLosses"/> as congestion; returns whether a recovery period began.</summary>
    internal bool ConcludeLosses(long now)
    {
        if (CongestionLosses == 0)
        {
            return false;
        }

        bool began = OnCongestion(LargestLostSentTime, now, ecn: false);
        _epochLosses += CongestionLosses;
        return began;
    }

    internal void OnPersistentCongestion(long now)
    {
        // RFC 9002 sections 7.6.2 and 5.2.
        Congestion.OnPersistentCongestion(now);
        Rtt.OnPersistentCongestion();
    }

    /// <summary>Congestion, by loss or by mark, begins a recovery period unless one was under way.</summary>
    internal bool OnCongestion(long sentTime, long now, bool ecn)
    {
        bool began = Congestion.OnCongestionEvent(sentTime, now, ecn);
        if (began)
        {
            _epochLosses = _epochSpurious = 0;

            // A mark loses nothing that could be sent again.
            _repairAllowed = !ecn;
        }

        return began;
    }

    /// <summary>A packet taken for lost arrived: thresholds rise, and if it was all a mistake, the window comes back.</summary>
    internal void OnSpuriousLoss(in RecentLosses.Entry loss)
    {
        PacketsSpuriouslyLost++;

        // RFC 9002 section 6.1.1 and 6.1.2 allow thresholds that adapt to the reordering of the path. Capped, or a
        // peer could put loss detection off for ever.
        if (loss.ByTime)
        {
            TimeThresholdEighths = Math.Min(TimeThresholdEighths + 1, MaxTimeThresholdEighths);
        }
        else
        {
            PacketThreshold = Math.Clamp(loss.Distance + 1, PacketThreshold, Limits.ReorderingThreshold);
        }

        // Only what was lost in the current recovery period can undo it.
        if (loss.TimeLost >= Congestion.RecoveryStartTime && ++_epochSpurious == _epochLosses)
        {
            Congestion.OnSpuriousCongestion();
        }
    }

    /// <summary>The path's packets no longer count.</summary>
    internal void Empty() => BytesInFlight = 0;

    private void TakeRate(in DeliverySample sample)
    {
        if (sample.Rate == 0)
        {
            return;
        }

        DeliveryRate = sample.Rate;
        if (!sample.IsAppLimited || DeliveryRate > EstimatedBandwidth)
        {
            // Up at once, down by an eighth of the way: a sample is low for many reasons, but never high without one.
            EstimatedBandwidth = DeliveryRate > EstimatedBandwidth
                ? DeliveryRate
                : EstimatedBandwidth - ((EstimatedBandwidth - DeliveryRate) / 8);
        }
    }
}
