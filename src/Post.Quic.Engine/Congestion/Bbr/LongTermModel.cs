namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>
/// BBR.inflight_longterm: how much may be in flight without too many losses, as the search for more has shown it; and how it grows when
/// more is tried (draft-ietf-ccwg-bbr sections 5.3.3.5 and 5.3.3.9). Sizes are bytes.
/// </summary>
internal struct LongTermModel
{
    private long _ackedForGrowth;
    private long _acked;
    private int _growthRounds;

    public LongTermModel()
    {
        Inflight = BbrModel.Unlimited;
        _ackedForGrowth = BbrModel.Unlimited;
    }

    /// <summary><see cref="BbrModel.Unlimited"/> while nothing has shown a limit.</summary>
    public long Inflight { get; set; }

    /// <summary>InflightWithHeadroom: what is left when others have their part.</summary>
    public readonly long WithHeadroom(int datagramSize)
    {
        if (Inflight == BbrModel.Unlimited)
        {
            return Inflight;
        }

        long headroom = Math.Max(datagramSize, (long)(BbrConstants.Headroom * Inflight));
        return Math.Max(Inflight - headroom, (long)BbrConstants.MinimumWindowPackets * datagramSize);
    }

    /// <summary>The path is refilled: growth begins with one datagram a round trip.</summary>
    public void BeginSearch() => _acked = _growthRounds = 0;

    /// <summary>No more is tried.</summary>
    public void EndSearch() => _ackedForGrowth = BbrModel.Unlimited;

    /// <summary>RaiseInflightLongtermSlope: the growth doubles with each round trip.</summary>
    public void DoubleGrowth(long window, int datagramSize)
    {
        _ackedForGrowth = Math.Max(window >> _growthRounds, datagramSize);
        _growthRounds = Math.Min(_growthRounds + 1, BbrConstants.GrowthDoublings);
    }

    /// <summary>ProbeInflightLongtermUpward: a window that is full up to this limit raises it.</summary>
    public void Grow(in AckSample sample, long window, int datagramSize, bool isRoundStart)
    {
        if (!sample.IsWindowLimited || window < Inflight)
        {
            return;
        }

        _acked += sample.AckedBytes;
        if (_acked >= _ackedForGrowth)
        {
            long steps = _acked / _ackedForGrowth;
            _acked -= steps * _ackedForGrowth;
            Inflight += steps * datagramSize;
        }

        if (isRoundStart)
        {
            DoubleGrowth(window, datagramSize);
        }
    }
}
