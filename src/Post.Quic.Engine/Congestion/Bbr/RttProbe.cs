namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>How far ProbeRTT has come: the queue empties, then a round trip passes and 200 ms (draft-ietf-ccwg-bbr section 5.3.4.3).</summary>
internal struct RttProbe
{
    private long _end;
    private bool _isRoundOver;

    /// <summary>Little enough is in flight; the time runs.</summary>
    public readonly bool IsUnderWay => _end != 0;

    public void Begin() => (_end, _isRoundOver) = (0, false);

    public void OnDrained(long now) => (_end, _isRoundOver) = (now + BbrConstants.ProbeRttDuration, false);

    public void OnRound() => _isRoundOver = true;

    /// <summary>Both have passed.</summary>
    public readonly bool IsDone(long now) => _isRoundOver && IsOver(now);

    /// <summary>CheckProbeRTTDone: the time has passed; after silence, that is enough (section 5.4.1).</summary>
    public readonly bool IsOver(long now) => _end != 0 && now > _end;
}
