using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// The connection ids that the networks of a path use: each has one of the peer's, with its reset token, and lets the peer have one of ours
/// for it (RFC 9000 section 9.5).
/// </summary>
internal sealed class NetworkIds
{
    private readonly Path _path;
    private readonly IPathHost _host;
    private bool _remoteIdsChanged;

    public NetworkIds(Path path, IPathHost host)
    {
        _path = path;
        _host = host;
    }

    private Networks Networks => _path.Networks;

    /// <summary>The newest packet of a network was sent to this id of ours.</summary>
    public void OnReceivedFor(Network network, ulong localIdSequence)
    {
        if (network.LocalIdSequence == localIdSequence)
        {
            return;
        }

        network.LocalIdSequence = localIdSequence;
        ulong oldest = localIdSequence;
        foreach (Network? other in Networks.All)
        {
            oldest = Math.Min(oldest, other?.LocalIdSequence ?? oldest);
        }

        _path.LocalIds.OnUsed(localIdSequence, oldest);
    }

    /// <summary>The peer gave ids, and may have taken others back.</summary>
    public void OnRemoteIdsChanged() => _remoteIdsChanged = true;

    /// <summary>
    /// Each network that used an id that the peer took back gets another; a network for which none is left is given up (RFC 9000 section
    /// 5.1.2). Not before all frames of a packet are read: the ids that replace the ones of the first frame may come with the next.
    /// </summary>
    /// <param name="here">The network of that packet. It is served first: there the peer is.</param>
    public void ReplaceRetiredIds(Network here)
    {
        if (!_remoteIdsChanged)
        {
            return;
        }

        _remoteIdsChanged = false;
        _ = Networks.Contains(here) && ReplaceRetiredId(here);
        ReplaceRetiredId(Networks.Active);
        foreach (Network? network in Networks.All)
        {
            // The one to come back to waits for the next id. One that was left needs none.
            if (network is { IsLeft: true } && !_path.RemoteIds.IsActive(network.RemoteId.Sequence))
            {
                Networks.Remove(network);
            }
            else if (network is not null && !ReplaceRetiredId(network) && network != Networks.Active && network != _path.Migration.Fallback)
            {
                Networks.Remove(network);
            }
        }

        _host.OnNetworkChanged(_path, _host.Now);
    }

    /// <summary>The id that the network uses may have a token by now: the owner routes stateless resets by it.</summary>
    public void AnnounceToken(Network network)
    {
        if (network.AnnouncedToken is null && _path.RemoteIds.TryGetToken(network.RemoteId.Sequence, out StatelessResetToken token))
        {
            network.AnnouncedToken = token;
            _host.OnResetTokenAdded(network.Remote, token);
        }
    }

    public void WithdrawTokens()
    {
        foreach (Network? network in Networks.All)
        {
            if (network is not null)
            {
                WithdrawToken(network);
            }
        }
    }

    /// <summary>
    /// A peer that has to answer by a new network needs an id of ours that it has not used (RFC 9000 section 9.5). One that may hold two
    /// and keeps those of networks that we left has none after the first move: quiche then drops all that comes by the next.
    /// </summary>
    public void LetPeerFollow()
    {
        ulong oldest = Networks.Active.LocalIdSequence;
        ulong newest = oldest;
        foreach (Network? network in Networks.All)
        {
            if (network is not null)
            {
                oldest = Math.Min(oldest, network.LocalIdSequence);
                newest = Math.Max(newest, network.LocalIdSequence);
            }
        }

        _path.LocalIds.OnNewNetwork(newest, oldest);
    }

    private bool ReplaceRetiredId(Network network)
    {
        if (_path.RemoteIds.IsActive(network.RemoteId.Sequence))
        {
            return true;
        }

        WithdrawToken(network);
        if (!_path.RemoteIds.TryTake(out RemoteConnectionId next))
        {
            return false;
        }

        network.RemoteId = next;
        AnnounceToken(network);
        return true;
    }

    public void WithdrawToken(Network network)
    {
        if (network.AnnouncedToken is { } token)
        {
            network.AnnouncedToken = null;
            _host.OnResetTokenRemoved(network.Remote, token);
        }
    }
}
