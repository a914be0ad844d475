using System.Net;

namespace Post.Sockets;

/// <summary>
/// A peer associates with a listener. A handler attaches its own handlers to <see cref="Association"/>, before anything of it is
/// delivered, or refuses it. Whoever does nothing accepts.
/// </summary>
/// <param name="Listener">At which listener.</param>
/// <param name="Association">The association to come.</param>
public sealed record Accept(Listener Listener, Association Association) : ListenerEvent(Listener)
{
    /// <summary>Who the peer proved to be.</summary>
    public PeerIdentity Peer => Association.Peer;

    /// <summary>Where the peer is.</summary>
    public EndPoint? RemoteEndPoint => Association.RemoteEndPoint;

    /// <summary>A handler has refused the peer.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Refuses the peer: the association is closed with the code for that.</summary>
    public void Refuse() => IsRefused = true;
}
