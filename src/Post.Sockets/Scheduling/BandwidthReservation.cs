namespace Post.Sockets.Scheduling;

/// <summary>
/// A token bucket: up to its rate a stream is served before all objects, beyond it at its niceness. The bucket holds a twentieth of a
/// second, so that a stream that was quiet may catch up a little but cannot save up.
/// </summary>
internal sealed class BandwidthReservation
{
    private readonly double _bytesPerUnit;
    private readonly double _capacity;
    private double _tokens;
    private long _updated;

    public BandwidthReservation(long bitsPerSecond, Clock clock, long now)
    {
        BitsPerSecond = bitsPerSecond;
        _bytesPerUnit = bitsPerSecond / 8.0 / clock.Units(TimeSpan.FromSeconds(1));

        // At least two packets, or a slow stream could never send one whole.
        _capacity = Math.Max(bitsPerSecond / 8.0 / 20, 3000);
        _tokens = _capacity;
        _updated = now;
    }

    public long BitsPerSecond { get; }

    /// <summary>Bytes that may be sent within the reservation now.</summary>
    public int Available(long now)
    {
        _tokens = Math.Min(_capacity, _tokens + ((now - _updated) * _bytesPerUnit));
        _updated = now;
        return (int)Math.Clamp(_tokens, 0, int.MaxValue);
    }

    public void Take(int bytes) => _tokens -= bytes;

    /// <summary>When at least this many bytes will be within the reservation.</summary>
    public long AvailableAt(int bytes, long now)
    {
        var missing = Math.Min(bytes, _capacity) - _tokens;
        return missing <= 0 ? now : now + (long)Math.Ceiling(missing / _bytesPerUnit);
    }
}
