using System.Net;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Udp;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// The sockets that a client's connection uses. One that it moved away from is kept a while for packets that are still on
/// their way to it, and then given back: a client that moves often must not run out of descriptors.
/// </summary>
internal sealed class ConnectionSockets(EndpointHost host)
{
    private readonly Lock _gate = new();
    private readonly List<NetworkAddress> _used = [];
    private readonly List<LeftSocket> _left = [];
    private bool _isCleared;

    /// <summary>The endpoint was opened for this connection, and its socket is the connection's like any other.</summary>
    public void Adopt(in NetworkAddress first)
    {
        lock (_gate)
        {
            _used.Add(first);
        }
    }

    /// <summary>Opens a socket to move to, or joins the one that is open there.</summary>
    /// <param name="wanted">Where.</param>
    /// <param name="remote">Where it is to send to.</param>
    /// <param name="isNew">It was not in use before: give it back with <see cref="Return"/> where the move does not begin.</param>
    /// <returns>The address, with the port that the system chose.</returns>
    /// <exception cref="System.Net.Sockets.SocketException">The address is taken or not of this machine.</exception>
    public NetworkAddress Take(in NetworkAddress wanted, IPEndPoint remote, out bool isNew)
    {
        lock (_gate)
        {
            int open = IndexOf(wanted);
            isNew = open < 0;
            if (!isNew)
            {
                if (wanted.IsUnspecified || !_used[open].IsUnspecified)
                {
                    return _used[open];
                }

                // A socket that is bound to no address sends from any of this machine.
                EndpointHost.CheckIsOfThisMachine(wanted);
                return wanted;
            }

            ObjectDisposedException.ThrowIf(_isCleared, typeof(QuicConnection));
            NetworkAddress local = host.TakeSocket(wanted, OutgoingInterface.Find(wanted.ToEndPoint().Address, remote.Address));
            _used.Add(local);
            return local;
        }
    }

    /// <summary>Gives a socket back at once.</summary>
    public void Return(in NetworkAddress local)
    {
        lock (_gate)
        {
            if (_used.Remove(local))
            {
                host.ReturnSocket(local);
            }
        }
    }

    /// <summary>A path from a local address is gone. With the last one its socket goes, when the time for late packets is over.</summary>
    /// <param name="local">The address.</param>
    /// <param name="stillUsed">Those of the other paths.</param>
    /// <param name="microseconds">How long packets may be late.</param>
    public void OnLeft(in NetworkAddress local, IEnumerable<NetworkAddress> stillUsed, long microseconds)
    {
        lock (_gate)
        {
            int index = IndexOf(local);
            if (index < 0 || stillUsed.Any(other => Matches(_used[index], other)))
            {
                return;
            }

            var left = new LeftSocket(this, _used[index]);
            _used.RemoveAt(index);
            _left.Add(left);
            using (ExecutionContext.SuppressFlow())
            {
                left.Timer = host.Clock.TimeProvider.CreateTimer(
                    static state => ((LeftSocket)state!).Return(), left, TimeSpan.FromMicroseconds(microseconds), Timeout.InfiniteTimeSpan);
            }

            if (_left.Count > Limits.MaxLeftSockets)
            {
                Forget(_left[0]);
            }
        }
    }

    /// <summary>The connection is over.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _isCleared = true;
            while (_left.Count > 0)
            {
                Forget(_left[0]);
            }

            _used.ForEach(local => host.ReturnSocket(local));
            _used.Clear();
        }
    }

    private void Forget(LeftSocket left)
    {
        lock (_gate)
        {
            if (_left.Remove(left))
            {
                left.Timer?.Dispose();
                host.ReturnSocket(left.Local);
            }
        }
    }

    private int IndexOf(NetworkAddress local) => local.Port == 0 ? -1 : _used.FindIndex(used => Matches(used, local));

    /// <summary>A socket bound to no address learns from the first packet which one it is.</summary>
    private static bool Matches(in NetworkAddress socket, in NetworkAddress local) =>
        socket.Port == local.Port && (socket.IsUnspecified || local.IsUnspecified || socket.SameHost(local));

    private sealed class LeftSocket(ConnectionSockets owner, NetworkAddress local)
    {
        public NetworkAddress Local { get; } = local;

        public ITimer? Timer { get; set; }

        public void Return() => owner.Forget(this);
    }
}
