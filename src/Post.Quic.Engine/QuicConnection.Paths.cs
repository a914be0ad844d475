using System.Net;
using System.Net.Sockets;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Paths;

namespace Post.Quic.Engine;

/// <content>The addresses that the connection goes over: what is known of them, how they change, and moving to others.</content>
public sealed partial class QuicConnection
{
    /// <summary>How long packets may be late: what RFC 9000 section 10.2 gives them at the end of a connection.</summary>
    private const int LateProbeTimeouts = 3;

    private readonly List<(int NetworkId, NetworkAddress Local, TaskCompletionSource Moved)> _migrations = [];

    /// <summary>
    /// Client: moves the connection to another local address, once that is shown to reach the server. The socket that it leaves is
    /// kept for three probe timeouts, for packets that are still on their way there, and then closed.
    /// </summary>
    /// <param name="localEndPoint">The new address; port 0, or null, lets the system choose a fresh port.</param>
    /// <param name="cancellationToken">Ends the wait; the old path then stays.</param>
    /// <returns>When the new path is in use.</returns>
    /// <exception cref="InvalidOperationException">On a server, or where the server forbids it, or gives out no connection id for it within three probe timeouts and a second.</exception>
    /// <exception cref="QuicException">The new path does not reach the server (<see cref="QuicError.NoViablePath"/>), or the connection ended.</exception>
    /// <exception cref="SocketException">The address cannot be used.</exception>
    public async ValueTask MigrateAsync(IPEndPoint? localEndPoint = null, CancellationToken cancellationToken = default)
    {
        if (!IsClient)
        {
            throw new InvalidOperationException("Only a client can move a connection (RFC 9000 section 9).");
        }

        // RFC 9000 section 9: not before the handshake is confirmed, which takes a round trip more than completing it.
        await _confirmed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        var wanted = NetworkAddress.FromEndPoint(
            localEndPoint ?? new IPEndPoint(RemoteEndPoint.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0));
        NetworkAddress local = _sockets.Take(wanted, RemoteEndPoint);
        TaskCompletionSource moved;
        try
        {
            moved = await BeginMoveAsync(local, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            EndTake(local);
        }

        Driver.Wake();
        await moved.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The paths as they are now, in the order of their ids. A path that moves is listed with each pair of addresses that it still has,
    /// and one that was given up until it is removed.
    /// </summary>
    public IReadOnlyList<QuicPath> GetPaths()
    {
        PathStatistics[] paths;
        lock (Driver.Gate)
        {
            paths = Driver.Core.GetPaths();
        }

        return Array.ConvertAll(paths, static path => QuicPath.From(path));
    }

    void IConnectionEvents.OnPath(in PathEvent change)
    {
        EngineLog.PathChanged(_host.Logger, _firstId, change.NetworkId, change.Local, change.Remote, change.Change);
        if (change.Change == PathChange.Active && Driver.IsSetUp)
        {
            _metrics.Migrated();
        }

        if (Driver.IsSetUp)
        {
            _metrics.PathChanged(change);
        }

        FollowMainPath(change);
        SettleMigration(change);
        SettleMultipath(change);
        if (IsClient && change.Change == PathChange.Removed)
        {
            // An abandoned path was kept for late packets already.
            bool isOver = change.Statistics.State == PathState.Abandoned;
            _sockets.OnLeft(
                change.Local,
                Driver.Core.GetPaths().Select(static path => path.Local),
                isOver ? 0 : LateProbeTimeouts * Driver.Core.State.Paths.ProbeTimeoutPeriod);
        }

        if (Events is not null)
        {
            _events.Note(new ConnectionEvent(
                ConnectionEventKind.PathChanged, Subject: QuicPath.From(change.Statistics), Value: (long)change.Change));
        }
    }

    /// <summary>The path or the move that a socket was taken for has begun or failed; another call may have taken it, too.</summary>
    private void EndTake(in NetworkAddress local)
    {
        lock (Driver.Gate)
        {
            _sockets.EndTake(local, Driver.Core.GetPaths().Select(static path => path.Local));
        }
    }

    private async ValueTask<TaskCompletionSource> BeginMoveAsync(NetworkAddress local, CancellationToken cancellationToken)
    {
        long? deadline = null;
        while (true)
        {
            Task credit;
            TimeSpan wait;
            lock (Driver.Gate)
            {
                if (TryBeginMove(local) is { } moved)
                {
                    return moved;
                }

                credit = NextCredit(ref deadline, out wait) ?? throw new InvalidOperationException(
                    "The connection cannot move now: the server has given out no spare connection id yet. Try again later.");
            }

            await WaitForCreditAsync(credit, wait, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Under the gate: null where the server has given out no spare connection id yet.</summary>
    private TaskCompletionSource? TryBeginMove(in NetworkAddress local)
    {
        ThrowIfClosed();
        foreach ((_, NetworkAddress other, TaskCompletionSource underWay) in _migrations)
        {
            if (other == local)
            {
                return underWay;
            }
        }

        var moved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Driver.Core.State.Paths.Main.Network.Local == local)
        {
            moved.SetResult();
            return moved;
        }

        if (Driver.Core.TryMigrate(local, Driver.Now, out int networkId))
        {
            _migrations.Add((networkId, local, moved));
            return moved;
        }

        return Driver.Core.PeerParameters.DisableActiveMigration
            ? throw new InvalidOperationException("The connection cannot move: the server forbids migration.")
            : null;
    }

    /// <summary>The connection's addresses are those of the path that stands for all: it moved, or another takes its place.</summary>
    private void FollowMainPath(in PathEvent change)
    {
        if (change.Change is not (PathChange.Active or PathChange.Abandoned))
        {
            return;
        }

        NetworkAddress local = change.Local;
        NetworkAddress remote = change.Remote;
        if (Driver.IsSetUp && Driver.Core.State.Paths.Main is { HasNetwork: true } main && main.Id != change.PathId)
        {
            local = main.Network.Local;
            remote = main.Network.Remote;
        }

        LocalEndPoint = local.ToEndPoint();
        RemoteEndPoint = remote.ToEndPoint();
    }

    private void SettleMigration(in PathEvent change)
    {
        if (change.Change is not (PathChange.Active or PathChange.Failed or PathChange.Removed))
        {
            return;
        }

        int id = change.NetworkId;
        int index = _migrations.FindIndex(move => move.NetworkId == id);
        if (index < 0)
        {
            return;
        }

        TaskCompletionSource waiting = _migrations[index].Moved;
        _migrations.RemoveAt(index);
        if (change.Change == PathChange.Active)
        {
            waiting.TrySetResult();
            return;
        }

        waiting.TrySetException(new QuicException(
            QuicError.NoViablePath,
            null,
            null,
            change.Change == PathChange.Failed
                ? $"The server does not answer on a path from {change.Local}; the old path stays."
                : $"The move to {change.Local} gave way to later ones: so many at once are not tried."));
        _ = waiting.Task.Exception;
    }
}
