namespace Post.Quic.Engine.Congestion;

/// <summary>The round-trip time of one path (RFC 9002 section 5). All times are microseconds.</summary>
internal sealed class RttEstimator
{
    /// <summary>RFC 9002 section 6.2.2: what is assumed before anything was measured.</summary>
    public const long InitialRtt = 333_000;

    /// <summary>RFC 9002 section 6.1.2: timers are not expected to be finer than this.</summary>
    public const long Granularity = 1_000;

    // Kept with 3 and 2 bits below the microsecond: on loopback a sample is tens of microseconds, and rounding down
    // at every sample would bias the average by more than its variation.
    private long _smoothedEighths;
    private long _variationQuarters;
    private bool _minimumIsStale;

    public RttEstimator(long initialRtt = InitialRtt)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(initialRtt);
        Assume(initialRtt);
    }

    /// <summary>The newest sample, acknowledgement delay included; 0 before the first.</summary>
    public long Latest { get; private set; }

    public long Smoothed => _smoothedEighths >> 3;

    public long Variation => _variationQuarters >> 2;

    /// <summary>The lowest sample; 0 before the first.</summary>
    public long Minimum { get; private set; }

    public bool HasSample { get; private set; }

    /// <summary>When the first sample was taken; <see cref="long.MaxValue"/> before.</summary>
    public long FirstSampleTime { get; private set; } = long.MaxValue;

    /// <summary>RFC 9002 section 6.2.1: the probe timeout without max_ack_delay and back-off.</summary>
    public long ProbeTimeout => Smoothed + Math.Max(4 * Variation, Granularity);

    /// <summary>RFC 9002 section 6.2.2: another starting point, from Retry or an earlier connection to the same peer.</summary>
    public void Assume(long initialRtt)
    {
        if (!HasSample)
        {
            _smoothedEighths = initialRtt << 3;
            _variationQuarters = (initialRtt / 2) << 2;
        }
    }

    /// <summary>
    /// Takes a sample. <paramref name="ackDelay"/> is 0 for Initial and Handshake packets and, once the handshake is
    /// confirmed, at most the peer's max_ack_delay: the caller knows which.
    /// </summary>
    public void AddSample(long latest, long ackDelay, long now)
    {
        // A clock that stands still between sending and receiving in a simulated world still measured something.
        latest = Math.Max(latest, 1);
        Latest = latest;
        if (!HasSample)
        {
            // RFC 9002 section 5.3: the first sample counts as it is.
            HasSample = true;
            FirstSampleTime = now;
            Minimum = latest;
            _smoothedEighths = latest << 3;
            _variationQuarters = (latest / 2) << 2;
            return;
        }

        // RFC 9002 section 5.2: min_rtt ignores acknowledgement delays, and starts anew after persistent congestion.
        Minimum = _minimumIsStale ? latest : Math.Min(Minimum, latest);
        _minimumIsStale = false;

        // RFC 9002 section 5.3: a delay that would bring the sample below the minimum is a lie or an error.
        long adjusted = latest - ackDelay >= Minimum ? latest - ackDelay : latest;
        long deviation = Math.Abs(Smoothed - adjusted);
        _variationQuarters += deviation - (_variationQuarters >> 2);
        _smoothedEighths += adjusted - (_smoothedEighths >> 3);
    }

    /// <summary>
    /// Acknowledgements come by another way than before, and what they measure is another round trip
    /// (draft-ietf-quic-multipath-21 section 5.4).
    /// </summary>
    public void OnReturnChanged() => _minimumIsStale = true;

    /// <summary>
    /// RFC 9002 section 5.2: min_rtt should be re-established after persistent congestion, which often means that the
    /// path has become another one.
    /// </summary>
    public void OnPersistentCongestion() => _minimumIsStale = true;
}
