using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Congestion;

/// <summary>
/// Spreads what the congestion window allows over the round trip (RFC 9002 section 7.7): a token bucket whose bursts
/// are large enough to form GSO batches and small enough not to overflow the first router.
/// </summary>
/// <remarks>
/// The bucket holds 10 datagrams or 2 ms at the current rate, whichever is more, and after it ran dry sending goes on
/// when 1 ms at the rate has gathered (one datagram at least). So at high rates the driver wakes once a millisecond
/// for a batch, and where the round trip is shorter than the bucket, pacing never holds anything back.
/// </remarks>
internal sealed class Pacer
{
    private const long Second = 1_000_000;
    private const int BurstDatagrams = 10;
    private const long BurstTime = 2_000;
    private const long BatchTime = 1_000;

    private int _maxDatagramSize;
    private long _rate;

    // In millionths of a byte, so that short intervals at low rates lose nothing.
    private long _tokens;
    private long _updated;
    private bool _started;

    public Pacer(int maxDatagramSize) => _maxDatagramSize = maxDatagramSize;

    /// <summary>Bytes a second; 0 before the first <see cref="SetRate"/>, which holds nothing back.</summary>
    public long Rate => _rate;

    /// <summary>Bytes that may leave at once after a pause.</summary>
    public long Capacity => Math.Max((long)BurstDatagrams * _maxDatagramSize, _rate / (Second / BurstTime));

    public void SetRate(long bytesPerSecond, long now)
    {
        bytesPerSecond = Math.Min(bytesPerSecond, Limits.PacingRate);
        if (bytesPerSecond != _rate)
        {
            Refill(now);
            _rate = bytesPerSecond;
        }
    }

    public void SetMaxDatagramSize(int maxDatagramSize) => _maxDatagramSize = maxDatagramSize;

    /// <summary>Whether a datagram of <paramref name="size"/> bytes may leave now.</summary>
    public bool CanSend(int size, long now)
    {
        if (_rate == 0)
        {
            return true;
        }

        Refill(now);
        return _tokens >= Math.Min(size, Capacity) * Second;
    }

    /// <summary>When sending may go on; <paramref name="now"/> where it may already.</summary>
    public long NextSendTime(int size, long now)
    {
        if (CanSend(size, now))
        {
            return now;
        }

        long batch = Math.Clamp(_rate / (Second / BatchTime), Math.Min(size, Capacity), Capacity);
        long missing = (batch * Second) - _tokens;
        return now + ((missing + _rate - 1) / _rate);
    }

    public void OnSent(int size, long now)
    {
        Refill(now);

        // Probes leave without asking; what they overdraw is bounded, or a burst of them would silence the path.
        _tokens = Math.Max(_tokens - (size * Second), -Capacity * Second);
    }

    private void Refill(long now)
    {
        long capacity = Capacity * Second;
        if (!_started)
        {
            _started = true;
            _tokens = capacity;
        }
        else if (now > _updated)
        {
            // Bounded by what fills an overdrawn bucket, which also keeps the product from overflowing.
            long elapsed = Math.Min(now - _updated, _rate == 0 ? 0 : (2 * capacity / _rate) + 1);
            _tokens = Math.Min(_tokens + (elapsed * _rate), capacity);
        }

        _updated = Math.Max(_updated, now);
    }
}
