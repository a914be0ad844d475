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
    private readonly List<UsedSocket> _used = [];
    private readonly List<LeftSocket> _left = [];
    private bool _isCleared;

    /// <summary>The endpoint was opened for this connection, and its socket is the connection's like any other.</summary>
    public void Adopt(in NetworkAddress first)
    {
        lock (_gate)
        {
            _used.Add(new UsedSocket(first));
        }
    }

    /// <summary>Opens a socket for a path or a move that is to begin, or joins the one that is open there; <see cref="EndTake"/> follows.</summary>
    /// <param name="wanted">Where.</param>
    /// <param name="remote">Where it is to send to.</param>
    /// <returns>The address, with the port that the system chose.</returns>
    /// <exception cref="System.Net.Sockets.SocketException">The address is taken or not of this machine.</exception>
    public NetworkAddress Take(in NetworkAddress wanted, IPEndPoint remote)
    {
        lock (_gate)
        {
            int open = IndexOf(wanted);
            if (open >= 0)
            {
                UsedSocket used = _used[open];
                if (!wanted.IsUnspecified && used.Local.IsUnspecified)
                {
                    // A socket that is bound to no address sends from any of this machine.
                    EndpointHost.CheckIsOfThisMachine(wanted);
                    used.Beginning++;
                    return wanted;
                }

                used.Beginning++;
                return used.Local;
            }

            ObjectDisposedException.ThrowIf(_isCleared, typeof(QuicConnection));
            var opened = new UsedSocket(host.TakeSocket(wanted, OutgoingInterface.Find(wanted.ToEndPoint().Address, remote.Address))) { Beginning = 1 };
            _used.Add(opened);
            return opened.Local;
        }
    }

    /// <summary>What a socket was taken for has begun, or will not. With the last of those that neither began nor may begin it is given back.</summary>
    /// <param name="local">What <see cref="Take"/> returned.</param>
    /// <param name="stillUsed">The addresses of all paths.</param>
    public void EndTake(in NetworkAddress local, IEnumerable<NetworkAddress> stillUsed)
    {
        lock (_gate)
        {
            int index = IndexOf(local);
            if (index < 0)
            {
                return;
            }

            UsedSocket used = _used[index];
            if (--used.Beginning == 0 && !stillUsed.Any(other => used.Local.IsSameSocket(other)))
            {
                _used.RemoveAt(index);
                host.ReturnSocket(used.Local);
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
            if (index < 0 || _used[index].Beginning > 0 || stillUsed.Any(other => _used[index].Local.IsSameSocket(other)))
            {
                return;
            }

            var left = new LeftSocket(this, _used[index].Local);
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

            _used.ForEach(used => host.ReturnSocket(used.Local));
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

    private int IndexOf(NetworkAddress local) => local.Port == 0 ? -1 : _used.FindIndex(used => used.Local.IsSameSocket(local));

    private sealed class UsedSocket(NetworkAddress local)
    {
        public NetworkAddress Local { get; } = local;

        /// <summary>Calls that have taken it and whose path or move has not begun yet.</summary>
        public int Beginning { get; set; }
    }

    private sealed class LeftSocket(ConnectionSockets owner, NetworkAddress local)
    {
        public NetworkAddress Local { get; } = local;

        public ITimer? Timer { get; set; }

        public void Return() => owner.Forget(this);
    }
}
