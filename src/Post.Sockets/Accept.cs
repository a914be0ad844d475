using System.Net;

namespace Post.Sockets;

/// <summary>
/// A peer associates with a listener. A handler registers handlers on <see cref="Association"/> before anything of it is delivered, or calls
/// <see cref="Refuse"/>. A handler that does neither accepts the peer.
/// </summary>
/// <param name="Listener">The listener.</param>
/// <param name="Association">The association, which begins when all handlers have returned.</param>
public sealed record Accept(Listener Listener, Association Association) : ListenerEvent(Listener)
{
    /// <summary>The proven identity of the peer.</summary>
    public PeerIdentity Peer => Association.Peer;

    /// <summary>The address of the peer.</summary>
    public EndPoint? RemoteEndPoint => Association.RemoteEndPoint;

    /// <summary>True when a handler has refused the peer.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Refuses the peer: the association is closed, and the peer learns why.</summary>
    public void Refuse() => IsRefused = true;
}
