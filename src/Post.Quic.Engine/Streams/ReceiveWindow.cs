using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Streams;

/// <summary>
/// The credit given to the peer on one stream or on the connection (RFC 9000 section 4). It follows what the
/// application consumed, and grows towards four times the measured bandwidth-delay product.
/// </summary>
internal struct ReceiveWindow(ulong initial, ulong maximum)
{
    private long _epochStart;
    private bool _epochBegun;
    private bool _grownInEpoch;

    /// <summary>The largest limit announced so far.</summary>
    public ulong Limit { get; private set; } = initial;

    /// <summary>What the application consumed.</summary>
    public ulong Consumed { get; private set; }

    public ulong Size { get; private set; } = initial;

    /// <summary>The limit that an update sent now announces.</summary>
    public readonly ulong NextLimit => Math.Min(Consumed + Size, Wire.VarInt.MaxValue);

    /// <summary>
    /// Half of the window is used up: the update must reach the peer while the other half lasts.
    /// </summary>
    public readonly bool UpdateDue => NextLimit > Limit && Limit - Consumed <= Size / 2;

    /// <summary>Data arrived: the first one starts the clock.</summary>
    public void OnReceived(long now)
    {
        if (!_epochBegun)
        {
            _epochBegun = true;
            _epochStart = now;
        }
    }

    /// <summary>Counts consumption; true where the window just grew.</summary>
    public bool Consume(ulong count, long now, long roundTrip)
    {
        Consumed += count;
        if (!UpdateDue || Size >= maximum || _grownInEpoch)
        {
            return false;
        }

        // Half a window within two round trips. A peer that stands still for lack of credit needs one and the time to send
        // that half: to ask for no more than one would leave it standing.
        long elapsed = now - _epochStart;
        if (elapsed > 2 * Math.Max(roundTrip, Limits.WindowTuningRoundTrip))
        {
            return false;
        }

        Size = Math.Min(Size * 2, maximum);
        _grownInEpoch = true;
        return true;
    }

    /// <summary>Raises the size, so that one stream alone can use what it was given.</summary>
    public void GrowTo(ulong size) => Size = Math.Max(Size, Math.Min(size, maximum));

    /// <summary>An update is being sent; returns the limit it announces, which is at most <paramref name="most"/>.</summary>
    public ulong Announce(long now, ulong most = ulong.MaxValue)
    {
        _epochStart = now;
        _grownInEpoch = false;
        return Limit = Math.Max(Limit, Math.Min(NextLimit, most));
    }
}
