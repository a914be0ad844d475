namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>
/// What the losses of this cycle say the path carries at the moment (draft-ietf-ccwg-bbr section 5.5.10.3): nothing before the first
/// of them. Rates are bytes a second, sizes bytes.
/// </summary>
internal struct ShortTermModel
{
    private long _latestRate;
    private long _latestDelivered;
    private ulong _roundEnd;
    private bool _isRoundStart;
    private bool _anyLoss;
    private ulong _lastLost;
    private int _lossRuns;

    public ShortTermModel() => Bandwidth = Inflight = BbrModel.Unlimited;

    /// <summary>BBR.bw_shortterm.</summary>
    public long Bandwidth { get; set; }

    /// <summary>BBR.inflight_shortterm.</summary>
    public long Inflight { get; set; }

    /// <summary>BBR.inflight_latest: the most that was delivered in the last round trip.</summary>
    public readonly long LatestDelivered => _latestDelivered;

    /// <summary>The acknowledgement that is being processed ended a round trip since a loss.</summary>
    public readonly bool IsRoundStart => _isRoundStart;

    /// <summary>Runs of lost packets in this round trip.</summary>
    public readonly int LossRuns => _lossRuns;

    /// <summary>ResetShortTermModel.</summary>
    public void Reset() => Bandwidth = Inflight = BbrModel.Unlimited;

    /// <summary>ResetCongestionSignals.</summary>
    public void ResetSignals()
    {
        _anyLoss = false;
        _latestRate = _latestDelivered = 0;
    }

    /// <summary>Forgets the losses of this round trip: they were none.</summary>
    public void ForgetLosses() => _anyLoss = false;

    /// <summary>NoteLoss, with the runs that section 5.3.1.3 counts. Packets that are lost together come by their numbers.</summary>
    public void OnLoss(in LossSample loss)
    {
        OnCongestion(loss.TotalDelivered);
        if (_lossRuns == 0 || loss.PacketNumber != _lastLost + 1)
        {
            _lossRuns++;
        }

        _lastLost = loss.PacketNumber;
    }

    /// <summary>NoteLoss for a mark, which loses nothing.</summary>
    public void OnCongestion(ulong totalDelivered)
    {
        if (!_anyLoss)
        {
            _roundEnd = totalDelivered;
        }

        _anyLoss = true;
    }

    /// <summary>UpdateLatestDeliverySignals.</summary>
    public void OnAcked(in DeliverySample sample)
    {
        _latestRate = Math.Max(_latestRate, sample.Rate);
        _latestDelivered = Math.Max(_latestDelivered, sample.Delivered);
        _isRoundStart = sample.PriorDelivered >= _roundEnd;
        if (_isRoundStart)
        {
            _roundEnd = sample.TotalDelivered;
        }
    }

    /// <summary>
    /// AdaptLowerBoundsFromCongestion and what surrounds it in UpdateCongestionSignals: a round trip with losses brings both bounds down to what
    /// was delivered in it, but not by more than a CUBIC flow would give up.
    /// </summary>
    /// <param name="isAccelerating">More is tried: what that costs is judged elsewhere.</param>
    /// <param name="maximumBandwidth">BBR.max_bw.</param>
    /// <param name="window">C.cwnd.</param>
    public void Adapt(bool isAccelerating, long maximumBandwidth, long window)
    {
        if (!_isRoundStart)
        {
            return;
        }

        if (!isAccelerating && _anyLoss)
        {
            // InitLowerBounds and LossLowerBounds.
            Bandwidth = Bandwidth == BbrModel.Unlimited ? maximumBandwidth : Bandwidth;
            Inflight = Inflight == BbrModel.Unlimited ? window : Inflight;
            Bandwidth = Math.Max(_latestRate, (long)(BbrConstants.Beta * Bandwidth));
            Inflight = Math.Max(_latestDelivered, (long)(BbrConstants.Beta * Inflight));
        }

        _anyLoss = false;
    }

    /// <summary>AdvanceLatestDeliverySignals.</summary>
    public void Advance(in DeliverySample sample)
    {
        if (_isRoundStart)
        {
            _latestRate = sample.Rate;
            _latestDelivered = sample.Delivered;
            _lossRuns = 0;
        }
    }
}
