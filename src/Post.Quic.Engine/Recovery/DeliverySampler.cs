using Post.Quic.Engine.Congestion;

namespace Post.Quic.Engine.Recovery;

/// <summary>
/// Measures at which rate a network delivers (draft-ietf-ccwg-bbr section 4.1): with each acknowledgement, what was delivered since the
/// newest packet that it acknowledges was sent, over the longer of the times that sending and acknowledging it took. Times are
/// microseconds, sizes are bytes.
/// </summary>
internal struct DeliverySampler
{
    // C.delivered_time, C.first_send_time, C.app_limited.
    private long _deliveredTime;
    private long _firstSentTime;
    private ulong _appLimited;
    private SentPacket _newest;

    /// <summary>C.delivered.</summary>
    public ulong Delivered { get; private set; }

    /// <summary>C.lost.</summary>
    public ulong Lost { get; private set; }

    /// <summary>The application had nothing to send, and what was sent before is still on its way or just arrived.</summary>
    public readonly bool IsAppLimited => _appLimited != 0;

    /// <summary>When the newest packet was sent that the ACK acknowledges.</summary>
    public readonly long NewestSentTime => _newest.TimeSent;

    /// <summary>Section 4.1.2.2: notes in a packet what is known as it is sent.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="bytesInFlight">Without it.</param>
    public void OnSent(ref SentPacket packet, long bytesInFlight)
    {
        if (bytesInFlight == 0)
        {
            _firstSentTime = _deliveredTime = packet.TimeSent;
        }

        packet.Delivered = Delivered;
        packet.SinceDelivered = Saturate(packet.TimeSent - _deliveredTime);
        packet.SinceFirstSent = Saturate(packet.TimeSent - _firstSentTime);
        packet.SentInFlight = Saturate(bytesInFlight + packet.Size);
        packet.LostBefore = unchecked((uint)Lost);
        if (IsAppLimited)
        {
            packet.Flags |= SentPacketFlags.AppLimited;
        }
    }

    /// <summary>MarkConnectionAppLimited (section 4.1.2.4): what is measured until more than this has arrived is too little.</summary>
    public void MarkAppLimited(long bytesInFlight) => _appLimited = Math.Max(Delivered + (ulong)bytesInFlight, 1);

    public void BeginAck() => _newest = default;

    /// <summary>UpdateRateSample (section 4.1.2.3).</summary>
    public void OnAcked(in SentPacket packet)
    {
        Delivered += packet.Size;
        if (_newest.Size == 0 || packet.TimeSent >= _newest.TimeSent)
        {
            _newest = packet;
        }
    }

    /// <summary>A packet is taken for lost; returns how much is since it was sent, itself included.</summary>
    public long OnLost(in SentPacket packet)
    {
        Lost += packet.Size;
        return LostSince(packet);
    }

    /// <summary>GenerateRateSample (section 4.1.2.3), for an ACK that acknowledged something.</summary>
    public DeliverySample EndAck(long minimumRtt, long now)
    {
        if (Delivered > _appLimited)
        {
            _appLimited = 0;
        }

        long interval = Math.Max(_newest.SinceFirstSent, now - (_newest.TimeSent - _newest.SinceDelivered));
        _firstSentTime = _newest.TimeSent;
        _deliveredTime = now;
        long delivered = (long)(Delivered - _newest.Delivered);
        bool isReliable = interval > 0 && interval >= minimumRtt;
        return new DeliverySample
        {
            Rate = isReliable ? (long)(delivered * 1e6 / interval) : 0,
            Delivered = delivered,
            PriorDelivered = _newest.Delivered,
            TotalDelivered = Delivered,
            IsAppLimited = _newest.IsAppLimited,
            SentInFlight = _newest.SentInFlight,
            Lost = LostSince(_newest),
        };
    }

    private readonly long LostSince(in SentPacket packet) => unchecked((uint)Lost - packet.LostBefore);

    private static uint Saturate(long value) => (uint)Math.Min(value, uint.MaxValue);
}
