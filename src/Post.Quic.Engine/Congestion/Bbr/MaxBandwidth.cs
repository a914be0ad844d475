namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>
/// BBR.max_bw: the highest rate of deliveries in this cycle of searching and the one before (draft-ietf-ccwg-bbr sections 5.5.3 to
/// 5.5.6). Bytes a second.
/// </summary>
internal struct MaxBandwidth
{
    private long _previous;
    private long _current;

    public readonly long Value => Math.Max(_previous, _current);

    /// <summary>UpdateMaxBw. Section 5.5.4: what the application limited counts only where it shows that the path carries more.</summary>
    public void Add(in DeliverySample sample)
    {
        if (sample.Rate > 0 && (sample.Rate >= Value || !sample.IsAppLimited))
        {
            _current = Math.Max(_current, sample.Rate);
        }
    }

    /// <summary>AdvanceMaxBwFilter: the next cycle begins, and the one before the last is forgotten.</summary>
    public void Advance()
    {
        if (_current == 0)
        {
            // Nothing was measured in it: what was known stays.
            return;
        }

        _previous = _current;
        _current = 0;
    }
}
