namespace Post.Sockets.Objects;

/// <summary>
/// The association clock of the peer as seen from here: how far the two clocks are apart, and so when the lifetime of what the peer sent
/// ends, though no clocks agree (docs/protocol.md, section "The age of an object"). Every value is in microseconds. The
/// owner of the association feeds it; <see cref="EndOf"/> may be asked from any thread.
/// </summary>
/// <remarks>
/// What arrives shows the sum of the clocks' offset and the time that it took. The time is least for what neither waited nor was repeated, so
/// the least sum, less half of the least round trip, is the offset. The least sum is kept for as long as it explains what comes: a queue that
/// stands for minutes must not pass for a clock.
/// </remarks>
internal sealed class PeerClock
{
    /// <summary>
    /// Two of these are half a minute: long enough that something in it neither waited nor was repeated, short enough that a peer whose clock
    /// was set back is understood again soon.
    /// </summary>
    private const long Window = 15_000_000;

    /// <summary>Fewer samples make no window: all of them may have been repeated.</summary>
    private const int WindowSamples = 8;

    /// <summary>
    /// One part in so many is what two clocks may drift apart: 100 ppm, twice what the quartz of a common machine is off by, and far above
    /// what remains where NTP runs.
    /// </summary>
    private const long Drift = 10_000;

    /// <summary>Longer lifetimes than some 36,000 years end never. Bounds the arithmetic: no sum of a stated time and this overflows.</summary>
    private const long LongestLifetime = 1L << 60;

    private const long None = long.MaxValue;

    // All kept on a clock that runs ahead by the drift, on which a sample that was once the least stays comparable.
    private long _least = None;
    private long _recent = None;
    private long _earlier = None;
    private long _inherited = None;
    private long _windowEnd;
    private int _samples;
    private long _halfTrip;
    private long _queueing;
    private long _offset = None;

    /// <summary>Something that states the peer's time came.</summary>
    /// <param name="shown">What the peer's clock showed, 0 to 2^62-1.</param>
    /// <param name="arrivedAt">When it arrived, on our clock.</param>
    public void OnSample(long shown, long arrivedAt)
    {
        if (_recent == None && _earlier == None)
        {
            _windowEnd = arrivedAt + Window;
        }
        else if (arrivedAt >= _windowEnd && _samples >= WindowSamples)
        {
            TurnWindow(arrivedAt);
        }

        var sample = arrivedAt - shown - (arrivedAt / Drift);
        _least = Math.Min(_least, sample);
        _recent = Math.Min(_recent, sample);
        _samples++;
        ShowOffset();
    }

    /// <summary>The round trip was measured, the least and the smoothed one.</summary>
    public void OnMeasured(long leastTrip, long smoothedTrip)
    {
        var half = leastTrip / 2;
        if (_halfTrip > 0 && half > _halfTrip)
        {
            // A least value that rises is one of another way.
            OnAnotherWay();
        }

        _halfTrip = half;
        _queueing = Math.Max(_queueing, smoothedTrip - leastTrip);
        ShowOffset();
    }

    /// <summary>
    /// What follows comes over another connection, or another path. The clocks are the same, so what is known of them holds until the new way
    /// has shown as much.
    /// </summary>
    public void OnAnotherWay()
    {
        _inherited = Offset;
        _least = _recent = _earlier = None;
        _samples = 0;
        _halfTrip = 0;
        _queueing = 0;
        ShowOffset();
    }

    /// <summary>When a lifetime ends, on our clock.</summary>
    /// <param name="shown">When it began, on the peer's clock.</param>
    /// <param name="lifetime">The lifetime.</param>
    /// <param name="now">The time on our clock. Something that states the peer's time must have come before.</param>
    public long EndOf(long shown, long lifetime, long now) => shown + Math.Min(lifetime, LongestLifetime) + Volatile.Read(ref _offset) + (now / Drift);

    private void ShowOffset() => Volatile.Write(ref _offset, Offset);

    private long Offset => Math.Min(_inherited, _least == None ? None : _least - _halfTrip);

    private void TurnWindow(long arrivedAt)
    {
        if (_earlier != None)
        {
            // Whatever came in half a minute is later than expected, by more than the round trips show of queues: the peer's clock was set
            // back or stood still.
            _least = Math.Max(_least, Math.Min(_earlier, _recent) - _queueing);
            _inherited = None;
        }

        _earlier = _recent;
        _recent = None;
        _samples = 0;
        _queueing = 0;
        _windowEnd = arrivedAt + Window;
    }
}
