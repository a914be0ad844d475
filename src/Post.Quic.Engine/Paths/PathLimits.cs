namespace Post.Quic.Engine.Paths;

/// <summary>
/// Up to which id paths may be used (draft-ietf-quic-multipath-21 sections 2.1 and 4.6): what each side announced with
/// initial_max_path_id and raised with MAX_PATH_ID since. A limit of ours follows the paths that are forgotten, so that there are
/// never more at once than we announced.
/// </summary>
internal sealed class PathLimits
{
    private bool _maxToSend;
    private bool _blockedToSend;

    /// <summary>Both sides announced multipath, and the handshake is complete.</summary>
    public bool IsMultipath { get; private set; }

    /// <summary>The highest id that the peer may use.</summary>
    public uint Own { get; private set; }

    /// <summary>The highest id that we may use.</summary>
    public uint Peer { get; private set; }

    /// <summary>The highest id that both may use.</summary>
    public uint Common => Math.Min(Own, Peer);

    public bool HasDataToSend => _maxToSend || _blockedToSend;

    public bool IsMaxPending => _maxToSend;

    public bool IsBlockedPending => _blockedToSend;

    public void Enable(uint own, uint peer)
    {
        IsMultipath = true;
        Own = own;
        Peer = peer;
    }

    /// <summary>MAX_PATH_ID came; one that raises nothing is ignored. Returns whether it did.</summary>
    public bool RaisePeer(uint limit)
    {
        if (limit <= Peer)
        {
            return false;
        }

        Peer = limit;
        _blockedToSend = false;
        return true;
    }

    /// <summary>A path is forgotten: another may take its place.</summary>
    public void OnForgotten()
    {
        if (Own < uint.MaxValue)
        {
            Own++;
            _maxToSend = true;
        }
    }

    /// <summary>We would open a path, and the peer's limit forbids it.</summary>
    public void OnBlocked() => _blockedToSend = true;

    public void OnMaxSent() => _maxToSend = false;

    public void OnBlockedSent() => _blockedToSend = false;

    /// <summary>A MAX_PATH_ID of ours was lost: only the newest is said again.</summary>
    public void OnMaxLost(ulong limit) => _maxToSend |= limit == Own;

    /// <summary>A PATHS_BLOCKED of ours was lost, which is said again only while it is true.</summary>
    public void OnBlockedLost(ulong limit) => _blockedToSend |= limit == Peer;
}
