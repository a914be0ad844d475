namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>
/// BBR.min_rtt: the round trip without a queue, and when it has to be looked for (draft-ietf-ccwg-bbr sections 5.3.4.3 and 5.5.7).
/// Times are microseconds.
/// </summary>
internal struct MinimumRtt
{
    public const long Unknown = long.MaxValue;

    private long _probed;
    private long _probedAt;
    private long _valueAt;

    public MinimumRtt(long value, long now)
    {
        Value = _probed = value;
        _valueAt = _probedAt = now;
    }

    /// <summary>The lowest of the last ten seconds; <see cref="Unknown"/> before the first.</summary>
    public long Value { get; private set; }

    /// <summary>BBR.probe_rtt_expired: none as low was seen for five seconds.</summary>
    public bool IsDue { get; private set; }

    /// <summary>UpdateMinRTT.</summary>
    public void OnAcked(in AckSample sample)
    {
        IsDue = sample.Now > _probedAt + BbrConstants.ProbeRttInterval;
        if (sample.RttSample != 0 && (sample.RttSample < _probed || IsDue))
        {
            _probed = sample.RttSample;
            _probedAt = sample.Now;
        }

        if (_probed < Value || sample.Now > _valueAt + BbrConstants.MinimumRttWindow)
        {
            Value = _probed;
            _valueAt = _probedAt;
        }
    }

    /// <summary>It was looked for, and is in five seconds again.</summary>
    public void OnProbed(long now) => _probedAt = now;

    /// <summary>The machine stood still for so long: that is no time in which something could have been seen.</summary>
    public void OnStall(long duration)
    {
        _probedAt += duration;
        _valueAt += duration;
    }
}
