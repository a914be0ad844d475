namespace Post.Quic.Engine.Streams;

/// <summary>Credit the peer gave for the connection's data or for a count of streams, and whether it was told we lack it.</summary>
internal struct SendCredit
{
    private ulong _blockedAt;
    private bool _toldOnce;

    public ulong Limit { get; private set; }

    public ulong Used { get; private set; }

    public readonly ulong Available => Limit - Used;

    /// <summary>The peer knows that we stand still at the present limit.</summary>
    public readonly bool WasToldBlocked => _toldOnce && _blockedAt == Limit;

    public void Use(ulong count) => Used += count;

    /// <summary>RFC 9000 section 4.1: a limit that is not larger than the present one is ignored.</summary>
    public bool Raise(ulong limit)
    {
        if (limit <= Limit)
        {
            return false;
        }

        Limit = limit;
        return true;
    }

    /// <summary>True once for each limit at which we stand still: then the peer is told.</summary>
    public bool TryBlock()
    {
        if (Available > 0 || WasToldBlocked)
        {
            return false;
        }

        _toldOnce = true;
        _blockedAt = Limit;
        return true;
    }

    /// <summary>Whether a lost BLOCKED frame with this limit still says the truth.</summary>
    public readonly bool IsStillBlockedAt(ulong limit) => Available == 0 && Limit == limit;
}
