namespace Post.Quic.Engine.Paths;

/// <summary>
/// How one side wants a path to be used (draft-ietf-quic-multipath-21 section 3.3), with the sequence numbers that tell newer statements
/// from older ones that arrive late.
/// </summary>
internal struct PathStatus
{
    private ulong _next;
    private ulong? _newest;

    /// <summary>It is to be used only where no other path works.</summary>
    public bool IsBackup { get; private set; }

    /// <summary>The newest frame waits to be sent.</summary>
    public bool IsPending { get; private set; }

    /// <summary>The sequence number of our newest statement.</summary>
    public readonly ulong Sequence => _next - 1;

    /// <summary>States how this side wants the path to be used.</summary>
    public void Set(bool isBackup)
    {
        IsBackup = isBackup;
        IsPending = true;
        _next++;
    }

    public void OnSent() => IsPending = false;

    /// <summary>A frame of ours was lost: only the newest statement is repeated.</summary>
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
