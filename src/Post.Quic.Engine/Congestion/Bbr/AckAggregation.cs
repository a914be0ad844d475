namespace Post.Quic.Engine.Congestion.Bbr;

/// <summary>
/// BBR.extra_acked: by how much acknowledgements come in heaps, which the window has to bridge (draft-ietf-ccwg-bbr section 5.5.9).
/// Times are microseconds, sizes are bytes.
/// </summary>
internal struct AckAggregation
{
    private WindowedMaximum _maximum;
    private long _start;
    private long _delivered;

    public readonly long Extra => _maximum.Value;

    /// <summary>The interval begins now: at first, and after silence (section 5.4.1).</summary>
    public void Begin(long now) => _start = now;

    /// <summary>UpdateACKAggregation.</summary>
    /// <param name="sample">The acknowledgement.</param>
    /// <param name="bandwidth">BBR.bw.</param>
    /// <param name="window">C.cwnd.</param>
    /// <param name="round">BBR.round_count.</param>
    /// <param name="length">Round trips that are looked back on.</param>
    public void OnAcked(in AckSample sample, long bandwidth, long window, long round, int length)
    {
        long expected = (long)(bandwidth / 1e6 * (sample.Now - _start));
        if (_delivered <= expected)
        {
            _delivered = 0;
            _start = sample.Now;
            expected = 0;
        }

        _delivered += sample.AckedBytes;
        _maximum.Add(Math.Min(_delivered - expected, window), round, length);
    }
}
