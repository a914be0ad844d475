namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>Whether sending faster still makes the path deliver faster (draft-ietf-ccwg-bbr section 5.3.1.2).</summary>
internal struct FullPipe
{
    private long _baseline;
    private int _rounds;

    /// <summary>BBR.full_bw_now: not since it was looked for last.</summary>
    public bool IsNow { get; private set; }

    /// <summary>BBR.full_bw_reached: the path was full at some time.</summary>
    public bool WasReached { get; set; }

    /// <summary>ResetFullBW, with the rate that is to be exceeded.</summary>
    public void Reset(long baseline = 0)
    {
        _baseline = baseline;
        _rounds = 0;
        IsNow = false;
    }

    /// <summary>CheckFullBWReached.</summary>
    public void Check(in DeliverySample sample, bool isRoundStart)
    {
        if (IsNow || !isRoundStart || sample.IsAppLimited)
        {
            return;
        }

        if (sample.Rate >= _baseline * BbrConstants.FullPipeGrowth)
        {
            Reset(sample.Rate);
            return;
        }

        IsNow = ++_rounds >= BbrConstants.FullPipeRounds;
        WasReached |= IsNow;
    }
}
