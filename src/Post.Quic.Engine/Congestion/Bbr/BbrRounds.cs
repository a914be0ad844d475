namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>
/// Round trips counted by packets: one ends when a packet is acknowledged that was sent after it began (draft-ietf-ccwg-bbr section
/// 5.5.1). Silence, timers and a round trip that changes do not distort them.
/// </summary>
internal struct BbrRounds
{
    private ulong _end;

    /// <summary>BBR.round_count.</summary>
    public long Count { get; private set; }

    /// <summary>BBR.round_start: the acknowledgement that is being processed ended one.</summary>
    public bool IsStart { get; private set; }

    /// <summary>StartRound: the round trip begins anew.</summary>
    public void Begin(ulong totalDelivered) => _end = totalDelivered;

    /// <summary>UpdateRound.</summary>
    public void OnAcked(in DeliverySample sample)
    {
        IsStart = sample.PriorDelivered >= _end;
        if (IsStart)
        {
            Begin(sample.TotalDelivered);
            Count++;
        }
    }
}
