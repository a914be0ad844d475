using System.Net.Sockets;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire.Packets;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// What the machine and the network say of reaching the peer. Before the peer was heard it ends the attempt, which has nothing else to go
/// by. After that it is a hint (RFC 9000 section 14.2.1, RFC 8085 section 5.2): it makes a client look for another way, and ends nothing.
/// </summary>
internal sealed class Reachability
{
    private readonly ConnectionState _state;

    public Reachability(ConnectionState state)
    {
        _state = state;
    }

    /// <summary>The machine refused to send between the two addresses.</summary>
    public void OnRefused(in NetworkAddress local, in NetworkAddress remote, SocketError refusal, long now)
    {
        foreach (Path path in _state.Paths.Open)
        {
            if (path.Network.Local == local && path.Network.Remote == remote)
            {
                OnUnreachable(path, refusal, now);
                return;
            }
        }
    }

    /// <summary>An ICMP message came. False: it is not about a datagram of ours, as far as can be told.</summary>
    public bool OnError(in NetworkAddress remote, ReadOnlySpan<byte> quoted, SocketError error, long now)
    {
        foreach (Path path in _state.Paths.Open)
        {
            if (path.Network.Remote == remote && Shows(quoted, path.Network))
            {
                OnUnreachable(path, error, now);
                return true;
            }
        }

        return false;
    }

    /// <summary>Only who saw the datagram knows the id that it was sent to.</summary>
    private bool Shows(ReadOnlySpan<byte> quoted, Network network) =>
        InvariantHeader.TryParse(quoted, network.RemoteId.Id.Length, out InvariantHeader header)
        && (network.RemoteId.Id.SequenceEqual(header.DestinationConnectionId)
            || (!_state.HasHeardPeer && _state.OriginalDestination.SequenceEqual(header.DestinationConnectionId)));

    private void OnUnreachable(Path path, SocketError error, long now)
    {
        if (!_state.IsServer && !_state.HasHeardPeer)
        {
            _state.Lifecycle.EndSilently(CloseSource.Unreachable, "no way to the peer", now, (ulong)error);
            return;
        }

        path.Migration.SearchRoute(now);
    }
}
