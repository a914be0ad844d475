using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// Loss recovery of one path (RFC 9002): knows what is on its way in its packet-number space, says when to send and when to
/// probe, and tells the fate of what was sent. The handshake belongs to the first path, and so do its spaces.
/// </summary>
/// <remarks>
/// <para>Sending: ask <see cref="PacketNumberSpace.CanSend"/> before each packet that counts as in flight, unless it is a probe
/// (<see cref="PacketNumberSpace.ProbesPending"/>); after building it call <see cref="OnPacketSent"/>. An
/// MTU probe asks <see cref="Transmission.CanSendMtuProbe"/> instead.</para>
/// <para>Timers: <see cref="NextTimeout"/> and <see cref="OnTimeout"/>; each space's
/// <see cref="ReceivedPackets.AckDeadline"/>, the active network's <see cref="Pacer.NextSendTime"/> when pacing was the
/// answer, and <see cref="MtuDiscovery.NextTimeout"/> are the caller's to watch.</para>
/// </remarks>
internal sealed class LossRecovery : IDisposable
{
    // RFC 9000 section 13.2.4: an endpoint that only sends ACKs adds a PING from time to time, to learn which arrived.
    private const int AckOnlyPacketsBeforePing = 16;

    private readonly Transmissions _transmissions = new();
    private readonly ProbeTimer _probe;
    private readonly ProbeContents _probeContents;
    private readonly LossDetector _detector;
    private readonly AckReceiver _acks;
    private PacketNumberSpace[] _spaces;
    private ulong _lostBefore;
    private ulong _spuriousBefore;

    /// <param name="isClient">The two sides differ in how they keep the handshake from a deadlock.</param>
    /// <param name="random">For the packet numbers that are skipped.</param>
    /// <param name="fate">Who is told what became of the frames.</param>
    /// <param name="transmission">What is known of the path's first network; it is active.</param>
    /// <param name="pathId">The path's id. With 0 it has the spaces of the handshake, too.</param>
    public LossRecovery(bool isClient, RandomSource random, IFrameOutcome fate, Transmission transmission, uint pathId = 0)
    {
        AckCarrier = pathId;
        _transmissions.Add(transmission);
        _probe = new ProbeTimer(isClient);
        _probeContents = new ProbeContents(fate);
        _detector = new LossDetector(_transmissions, fate);
        _acks = new AckReceiver(_transmissions, fate);
        _spaces = pathId != 0
            ? [new PacketNumberSpace(PacketNumberSpaceId.Application, random, pathId)]
            :
            [
                new PacketNumberSpace(PacketNumberSpaceId.Initial, random),
                new PacketNumberSpace(PacketNumberSpaceId.Handshake, random),
                new PacketNumberSpace(PacketNumberSpaceId.Application, random),
            ];
    }

    /// <summary>The path by which acknowledgements of this one came last, so that the round trip ends on it.</summary>
    public uint AckCarrier { get; private set; }

    /// <summary>Of the first path only, like <see cref="Handshake"/>.</summary>
    public PacketNumberSpace Initial => Space(PacketNumberSpaceId.Initial);

    public PacketNumberSpace Handshake => Space(PacketNumberSpaceId.Handshake);

    public PacketNumberSpace Application => _spaces[^1];

    /// <summary>Of the network that new data is sent over.</summary>
    public Transmission Transmission => _transmissions.Active;

    /// <summary>Of all networks of the path.</summary>
    public Transmissions Transmissions => _transmissions;

    /// <summary>The peer's max_ack_delay in microseconds, or what we asked for with ACK_FREQUENCY if that is more.</summary>
    public long PeerMaxAckDelay { get; set; } = ReceivedPackets.DefaultMaxAckDelay;

    /// <summary>The peer's ack_delay_exponent.</summary>
    public int PeerAckDelayExponent { get; set; } = 3;

    /// <summary>Packets taken for lost, over networks that are gone, too.</summary>
    public ulong PacketsLost
    {
        get
        {
            ulong lost = _lostBefore;
            foreach (Transmission transmission in _transmissions)
            {
                lost += transmission.PacketsLost;
            }

            return lost;
        }
    }

    /// <summary>Those among them that arrived after all.</summary>
    public ulong PacketsSpuriouslyLost
    {
        get
        {
            ulong spurious = _spuriousBefore;
            foreach (Transmission transmission in _transmissions)
            {
                spurious += transmission.PacketsSpuriouslyLost;
            }

            return spurious;
        }
    }

    public bool IsHandshakeConfirmed => _probe.IsHandshakeConfirmed;

    /// <summary>Probe timeouts in all.</summary>
    public long ProbeTimeouts { get; private set; }

    /// <summary>Probe timeouts in a row.</summary>
    public int ProbeTimeoutCount => _probe.Count;

    /// <summary>When <see cref="OnTimeout"/> wants to be called; <see cref="long.MaxValue"/> for never.</summary>
    public long NextTimeout { get; private set; } = long.MaxValue;

    /// <summary>
    /// The probe timeout without back-off, max_ack_delay included: what closing, draining, idle
    /// and key lifetimes are measured in (RFC 9000 section 10.2).
    /// </summary>
    public long ProbeTimeoutPeriod => Transmission.Rtt.ProbeTimeout + PeerMaxAckDelay;

    private ReadOnlySpan<PacketNumberSpace> HandshakeSpaces => _spaces.AsSpan(0, _spaces.Length - 1);

    /// <summary>When an acknowledgement of ours may not wait any longer; <see cref="long.MaxValue"/> if none is owed.</summary>
    public long AckDeadline
    {
        get
        {
            long deadline = long.MaxValue;
            foreach (PacketNumberSpace space in _spaces)
            {
                deadline = Math.Min(deadline, space.Received.AckDeadline);
            }

            return deadline;
        }
    }

    public PacketNumberSpace Space(PacketNumberSpaceId id) =>
        id == PacketNumberSpaceId.Application ? Application : HandshakeSpaces[(int)id];

    /// <summary>
    /// Whether the ACK about to be sent alone should carry a PING: many went out since anything asked for an answer,
    /// and none is awaited (RFC 9000 section 13.2.4). Not more than once in a round trip.
    /// </summary>
    public bool ShouldAddPing(PacketNumberSpace space, long now) =>
        space.SentSinceAckEliciting >= AckOnlyPacketsBeforePing
        && space.AckElicitingOutstanding == 0
        && now - Math.Max(space.LastAckElicitingSent, 0) >= Transmission.Rtt.Smoothed;

    /// <summary>
    /// A packet with the space's <see cref="PacketNumberSpace.NextPacketNumber"/> and the frames recorded in its log
    /// was built and leaves now. Returns its number.
    /// </summary>
    public ulong OnPacketSent(PacketNumberSpace space, Transmission transmission, in PacketSent info, long now)
    {
        MakeRoom(space, now);
        (long firstFrame, int frameCount) = space.Frames.Commit();
        ulong number = space.NextPacketNumber;
        space.UsePacketNumber();

        ref SentPacket packet = ref space.Sent.Add(new SentPacket
        {
            PacketNumber = number,
            PathId = space.PathId,
            TimeSent = now,
            FirstFrame = firstFrame,
            FrameCount = frameCount,
            Size = checked((ushort)info.Size),
            Flags = info.Flags,
            Level = info.Level,
            KeyGeneration = info.KeyGeneration,
            NetworkIndex = transmission.Index,
            SentWithEct = info.Ecn == EcnCodepoint.Ect0,
        });
        transmission.OnSent(ref packet);

        if (packet.SentWithEct)
        {
            space.MarkedSent++;
            if (packet.IsAckEliciting)
            {
                transmission.Ecn.OnMarkedPacketSent();
            }
        }

        if (!packet.IsAckEliciting)
        {
            space.SentSinceAckEliciting++;
            return number;
        }

        space.SentSinceAckEliciting = 0;
        if (space.AckElicitingOutstanding++ == 0)
        {
            space.OwedSince = now;
        }

        space.LastAckElicitingSent = now;
        if ((info.Flags & SentPacketFlags.PtoProbe) != 0 && space.ProbesPending > 0)
        {
            space.ProbesPending--;
        }

        if (packet.IsMtuProbe)
        {
            transmission.Mtu.OnProbeSent();
        }

        UpdateTimeout(now);
        return number;
    }

    /// <summary>An ACK frame was received for the space.</summary>
    /// <param name="space">The space.</param>
    /// <param name="ack">The frame.</param>
    /// <param name="now">The current time.</param>
    /// <param name="carrier">The path that a PATH_ACK came by; null for an ACK.</param>
    public TransportError OnAckReceived(PacketNumberSpace space, in AckFrame ack, long now, uint? carrier = null)
    {
        if ((carrier ?? space.PathId) != AckCarrier)
        {
            AckCarrier = carrier ?? space.PathId;
            Transmission.Rtt.OnReturnChanged();
        }

        TransportError error = _acks.Receive(space, ack, AckDelay(space, ack.AckDelay), space.Id != PacketNumberSpaceId.Application || !IsLate(ack.AckDelay), now);
        if (error.IsError || !_acks.AnyNewlyAcked)
        {
            return error;
        }

        space.OwedSince = now;

        // RFC 9002 section 6.2.2.1: an acknowledgement of a Handshake packet proves our address to us.
        if (space.Id == PacketNumberSpaceId.Handshake)
        {
            _probe.PeerValidatedAddress = true;
        }

        bool congested = _detector.Detect(space, _spaces, PeerMaxAckDelay, now) || _acks.CongestionMarked;

        // RFC 9002 section 6.2.1: a client does not reset the back-off while the server may still wait for proof of
        // its address, or it would probe too often.
        if (_probe.PeerValidatedAddress)
        {
            _probe.ResetCount();
        }

        foreach (Transmission transmission in _transmissions)
        {
            transmission.EndAck(now, congested);
            transmission.UpdatePacing(now);
        }

        space.RecentLosses.ForgetSentBefore(now - (4 * Transmission.Rtt.ProbeTimeout));
        space.Trim();
        UpdateTimeout(now);
        return TransportError.None;
    }

    /// <summary>
    /// The time <see cref="NextTimeout"/> named has come: detects losses, or asks for probes in
    /// <see cref="PacketNumberSpace.ProbesPending"/> (RFC 9002 appendix A.9).
    /// </summary>
    public void OnTimeout(long now)
    {
        if (now < NextTimeout)
        {
            return;
        }

        bool lossTime = false;
        foreach (PacketNumberSpace space in _spaces)
        {
            if (space.LossTime <= now)
            {
                lossTime = true;
                _detector.Detect(space, _spaces, PeerMaxAckDelay, now);
                space.Trim();
            }
        }

        if (lossTime)
        {
            foreach (Transmission transmission in _transmissions)
            {
                transmission.UpdatePacing(now);
            }
        }
        else if (_probe.Space is { } space && _probe.Deadline <= now)
        {
            _probe.OnExpired(now);
            ProbeTimeouts++;
            Transmission.Ecn.OnProbeTimeout(_probe.Count);
            _probeContents.AskFor(space, HandshakeSpaces);
        }

        UpdateTimeout(now);
    }

    /// <summary>
    /// When the peer will have owed acknowledgements for so many probe timeouts without any coming;
    /// <see cref="long.MaxValue"/> while it owes none. A probe timeout counts as long as the newest round trip makes likely, and no longer
    /// than <see cref="Limits.LongestSilentTimeout"/> beyond that: an estimate can be stale.
    /// </summary>
    public long OwedSince(int periods) => Application.AckElicitingOutstanding == 0
        ? long.MaxValue
        : Application.OwedSince + (periods * Math.Min(
            ProbeTimeoutPeriod, Math.Max(Limits.LongestSilentTimeout, Transmission.Rtt.Latest + PeerMaxAckDelay)));

    /// <summary>
    /// Asks a path that owes acknowledgements for one now, and not much later when the backed-off timer expires: the peer was heard
    /// on it, or no other path works. Once in a round trip.
    /// </summary>
    public void ProbeNow(long now)
    {
        if (Application.AckElicitingOutstanding != 0
            && Application.ProbesPending == 0
            && now - Application.LastAckElicitingSent >= Transmission.Rtt.Smoothed)
        {
            Application.ProbesPending = 1;
        }
    }

    /// <summary>Asks for an answer on this path, whatever it owes.</summary>
    public void Ping() => Application.ProbesPending = Math.Max(Application.ProbesPending, 1);

    /// <summary>
    /// What is on its way is to be sent again by other paths, though it may arrive: it is told as lost, and goes on being waited for.
    /// </summary>
    /// <param name="datagramsAreLost">
    /// DATAGRAM frames are told as lost, too, and no longer only as overdue; that they arrived after all can be told later.
    /// </param>
    public void GiveBack(bool datagramsAreLost) => _probeContents.GiveBackAll(Application, datagramsAreLost);

    /// <summary>
    /// The path is forgotten: what was not acknowledged counts as lost (draft-ietf-quic-multipath-21 section 3.4.3), and says
    /// nothing of congestion.
    /// </summary>
    public void Abandon(long now)
    {
        ForgetOutstanding(Application, onlyEarlyData: false, now);
        UpdateTimeout(now);
    }

    /// <summary>
    /// The process did not run for so long. What is on its way will be acknowledged or lost as ever, but its round trip is the
    /// machine's and not the network's.
    /// </summary>
    public void OnStall(long duration, long now)
    {
        _acks.SamplesFrom = now;
        Application.OwedSince = now;
        foreach (Transmission transmission in _transmissions)
        {
            transmission.Congestion.OnStall(duration);
        }
    }

    /// <summary>Gives back what only traffic needs. Nothing is on its way but acknowledgements, which nobody acknowledges: they are forgotten.</summary>
    public void Rest()
    {
        foreach (PacketNumberSpace space in _spaces)
        {
            for (ulong number = space.Sent.First; space.AckElicitingOutstanding == 0 && number < space.Sent.End; number++)
            {
                ref SentPacket packet = ref space.Sent[number];
                if (packet.State == SentPacketState.Outstanding)
                {
                    space.Sent.Settle(ref packet, SentPacketState.Lost);
                }
            }

            space.Trim();
            space.Sent.Rest();
            space.Frames.Rest();
        }

        Application.Received.Rest();
        bool isInUse = _spaces.Length == 1;
        foreach (PacketNumberSpace space in HandshakeSpaces)
        {
            isInUse |= !space.IsDiscarded;
        }

        if (!isInUse)
        {
            // Their keys are gone, and with them all that asks for them.
            _spaces = [Application];
        }
    }

    /// <summary>Another network may be sent over, beside those there are; its index comes from <see cref="Transmissions.FreeIndex"/>.</summary>
    public void Add(Transmission transmission) => _transmissions.Add(transmission);

    /// <summary>New data goes over the network from now on (RFC 9000 section 9.3 and 9.4).</summary>
    public void Activate(Transmission transmission, long now)
    {
        _transmissions.Activate(transmission);
        _probe.ResetCount();
        UpdateTimeout(now);
    }

    /// <summary>
    /// The network is given up. Its packets are still waited for, since they may have arrived; but they no longer say
    /// anything about round trips or congestion.
    /// </summary>
    public void Remove(Transmission transmission, long now)
    {
        _transmissions.Remove(transmission);
        _lostBefore += transmission.PacketsLost;
        _spuriousBefore += transmission.PacketsSpuriouslyLost;
        transmission.Empty();
        foreach (PacketNumberSpace space in _spaces)
        {
            space.RecentLosses.ForgetNetwork(transmission.Index);
            for (ulong number = space.Sent.First; number < space.Sent.End; number++)
            {
                ref SentPacket packet = ref space.Sent[number];
                if (packet.NetworkIndex == transmission.Index)
                {
                    packet.Flags |= SentPacketFlags.Orphaned;
                }
            }
        }

        UpdateTimeout(now);
    }

    /// <summary>Handshake keys can be used: anti-deadlock probes go there (RFC 9002 section 6.2.2.1).</summary>
    public void OnHandshakeKeys(long now)
    {
        _probe.HasHandshakeKeys = true;
        UpdateTimeout(now);
    }

    /// <summary>The handshake is confirmed (RFC 9001 section 4.1.2): application data has a probe timeout now.</summary>
    public void OnHandshakeConfirmed(long now)
    {
        _probe.IsHandshakeConfirmed = true;
        _probe.PeerValidatedAddress = true;
        UpdateTimeout(now);
    }

    /// <summary>
    /// Server: whether the anti-amplification limit holds everything back. Where it is lifted and a probe was due
    /// meanwhile, <see cref="NextTimeout"/> has passed already (RFC 9002 section 6.2.2.1).
    /// </summary>
    public void SetAmplificationLimited(bool limited, long now)
    {
        if (_probe.IsAmplificationLimited != limited)
        {
            _probe.IsAmplificationLimited = limited;
            UpdateTimeout(now);
        }
    }

    /// <summary>Keys of the space are dropped: so is what is on its way under them (RFC 9002 section 6.4).</summary>
    public void DiscardSpace(PacketNumberSpace space, long now)
    {
        if (space.IsDiscarded)
        {
            return;
        }

        for (ulong number = space.Sent.First; number < space.Sent.End; number++)
        {
            ref SentPacket packet = ref space.Sent[number];
            if (packet.State == SentPacketState.Outstanding && packet.IsInFlight)
            {
                _transmissions.Find(packet)?.LeaveFlight(packet);
            }
        }

        space.Discard();

        // RFC 9002 section 6.2.2: the back-off ends with the keys.
        _probe.ResetCount();
        UpdateTimeout(now);
    }

    /// <summary>
    /// Client: a Retry was accepted. What was sent is to be sent again; the time since the first Initial is a fair
    /// guess of the round trip (RFC 9002 section 6.2.3). Numbers go on (RFC 9000 section 17.2.5.3).
    /// </summary>
    public void OnRetry(long now)
    {
        if (Initial.Sent.Length > 0)
        {
            Transmission.Rtt.Assume(Math.Max(now - Initial.Sent[Initial.Sent.First].TimeSent, RttEstimator.Granularity));
        }

        foreach (PacketNumberSpace space in _spaces)
        {
            ForgetOutstanding(space, onlyEarlyData: false, now);
            space.ProbesPending = 0;
        }

        _probe.ResetCount();
        UpdateTimeout(now);
    }

    /// <summary>
    /// Client: the server refused early data. It is told as lost, without congestion; the caller decides what of it is
    /// sent again (RFC 9001 section 4.6.2).
    /// </summary>
    public void OnEarlyDataRejected(long now)
    {
        ForgetOutstanding(Application, onlyEarlyData: true, now);
        UpdateTimeout(now);
    }

    public void Dispose()
    {
        foreach (PacketNumberSpace space in _spaces)
        {
            space.Dispose();
            space.Received.Dispose();
        }

        NextTimeout = long.MaxValue;
    }

    /// <summary>
    /// What is acknowledged long after it came, by another path or by a probe, because the first acknowledgement was lost, measures how long
    /// that took and not the network. The peer tells by the time that it held it, which is more than it promised.
    /// </summary>
    private bool IsLate(ulong onWire) =>
        Transmission.Rtt.HasSample && OnWire(onWire) > PeerMaxAckDelay + Transmission.Rtt.ProbeTimeout;

    private long OnWire(ulong delay) =>
        delay > (ulong)(long.MaxValue >> PeerAckDelayExponent) ? long.MaxValue : (long)(delay << PeerAckDelayExponent);

    private long AckDelay(PacketNumberSpace space, ulong onWire)
    {
        // RFC 9002 section 5.3: none for Initial; and the peer answers Handshake packets at once as well. Once the
        // handshake is confirmed, no more than what the peer promised; before, its keys may have come late.
        if (space.Id != PacketNumberSpaceId.Application)
        {
            return 0;
        }

        long delay = OnWire(onWire);
        return IsHandshakeConfirmed ? Math.Min(delay, PeerMaxAckDelay) : delay;
    }

    private void UpdateTimeout(long now)
    {
        _probe.Update(_spaces, Transmission, PeerMaxAckDelay, now);
        long lossTime = long.MaxValue;
        foreach (PacketNumberSpace space in _spaces)
        {
            lossTime = Math.Min(lossTime, space.LossTime);
        }

        // RFC 9002 section 6.2.1: the probe timer MUST NOT be set while one for the time threshold is.
        NextTimeout = lossTime != long.MaxValue ? lossTime : _probe.Deadline;
    }

    private void ForgetOutstanding(PacketNumberSpace space, bool onlyEarlyData, long now)
    {
        for (ulong number = space.Sent.First; number < space.Sent.End; number++)
        {
            ref SentPacket packet = ref space.Sent[number];
            if (packet.State == SentPacketState.Outstanding && (!onlyEarlyData || packet.Level == EncryptionLevel.EarlyData))
            {
                _detector.Lose(space, ref packet, now, congestion: false);
            }
        }

        space.Trim();
    }

    /// <summary>
    /// Keeps the ring within its bound whatever the peer does: ACKs of ours that nobody confirmed are forgotten, and
    /// where even packets that were held back by <see cref="PacketNumberSpace.CanSend"/> fill it (probes), the oldest counts as lost.
    /// </summary>
    private void MakeRoom(PacketNumberSpace space, long now)
    {
        SentPackets sent = space.Sent;
        while (sent.Length >= Limits.SentAckOnlyPackets)
        {
            ref SentPacket oldest = ref sent[sent.First];
            if (oldest.State == SentPacketState.Outstanding
                && oldest.IsAckEliciting
                && sent.Length < 2 * Limits.SentPackets)
            {
                return;
            }

            if (oldest.State == SentPacketState.Outstanding)
            {
                _detector.Lose(space, ref oldest, now, congestion: false);
            }

            space.Trim();
        }
    }
}
