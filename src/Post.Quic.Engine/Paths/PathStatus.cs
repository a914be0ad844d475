namespace Post.Quic.Engine.Paths;

/// <summary>
/// Which use of a path one side wishes (draft-ietf-quic-multipath-21 section 3.3), with the sequence numbers by which older
/// wishes that come later are told from newer ones.
/// </summary>
internal struct PathStatus
{
    private ulong _next;
    private ulong? _newest;

    /// <summary>It is to be used only where no other path works.</summary>
    public bool IsBackup { get; private set; }

    /// <summary>Our wish was stated and its newest frame waits to be sent.</summary>
    public bool IsPending { get; private set; }

    /// <summary>The sequence number of our newest wish.</summary>
    public readonly ulong Sequence => _next - 1;

    /// <summary>Our wish has changed.</summary>
    public void Wish(bool isBackup)
    {
        IsBackup = isBackup;
        IsPending = true;
        _next++;
    }

    public void OnSent() => IsPending = false;

    /// <summary>A frame of ours was lost: only the newest wish is said again.</summary>
    public void OnLost(ulong sequence) => IsPending |= sequence + 1 == _next;

    /// <summary>A frame of the peer's came; false where a newer or the same was seen before.</summary>
    public bool TryTake(ulong sequence, bool isBackup)
    {
        if (_newest is { } newest && sequence <= newest)
        {
            return false;
        }

        _newest = sequence;
        IsBackup = isBackup;
        return true;
    }
}
