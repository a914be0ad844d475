using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Endpoint;

/// <summary>The connection ids of one connection, all of which lead to it until it ends.</summary>
internal sealed class RoutedConnectionIds<T>(ConnectionRouter<T> router, T connection) : IConnectionIdSource
    where T : class
{
    private readonly List<ConnectionId> _issued = [];
    private ConnectionId? _chosen;

    public int Length => ConnectionRouter<T>.IdLength;

    /// <summary>Server: also leads the id that the client chose to the connection. False where another one has it.</summary>
    public bool TryRouteChosen(in ConnectionId id)
    {
        if (!router.TryAddChosen(id, connection))
        {
            return false;
        }

        _chosen = id;
        return true;
    }

    /// <summary>
    /// RFC 9000 section 7.2: once the handshake is confirmed, the client has long since changed to an id of ours; what
    /// it chose would only keep a stranger's choice in the table.
    /// </summary>
    public void ReleaseChosen()
    {
        if (_chosen is { } id)
        {
            router.RemoveChosen(id);
            _chosen = null;
        }
    }

    public ConnectionId Issue(out StatelessResetToken token)
    {
        ConnectionId id = router.Issue(connection, out token);
        _issued.Add(id);
        return id;
    }

    public void Retire(in ConnectionId id)
    {
        router.Retire(id);
        _issued.Remove(id);
    }

    /// <summary>The connection is over: nothing leads to it any more.</summary>
    public void Clear()
    {
        ReleaseChosen();
        foreach (ConnectionId id in _issued)
        {
            router.Retire(id);
        }

        _issued.Clear();
    }
}
