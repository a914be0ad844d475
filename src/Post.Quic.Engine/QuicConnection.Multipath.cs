using System.Net;
using System.Net.Sockets;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Paths;

namespace Post.Quic.Engine;

/// <content>Several paths at once (draft-ietf-quic-multipath-21).</content>
public sealed partial class QuicConnection
{
    /// <summary>
    /// How long to wait for the peer's leave to open a path: it takes one way to get here, and a probe timeout more for each time it is lost.
    /// </summary>
    private const int CreditProbeTimeouts = 3;

    /// <summary>
    /// In microseconds, at least so long: a peer allows another path when it has forgotten the last one, and that goes by its own probe
    /// timeouts, which may be longer than ours.
    /// </summary>
    private const long LeastPatience = 1_000_000;

    private readonly Dictionary<uint, TaskCompletionSource<QuicPath>> _openings = [];
    private readonly Dictionary<uint, TaskCompletionSource> _closings = [];
    private TaskCompletionSource? _pathCredit;

    /// <summary>
    /// Several paths may be used at once: both sides asked for it with <see cref="QuicConnectionOptions.MaxPaths"/>. False before the
    /// handshake is complete.
    /// </summary>
    public bool IsMultipathNegotiated
    {
        get
        {
            lock (Driver.Gate)
            {
                return Driver.IsSetUp && Driver.Core.IsMultipath;
            }
        }
    }

    /// <summary>
    /// Client: opens a further path beside those that there are, and waits until it is shown to reach the server. From then on both sides
    /// use it. Each local address has a socket of its own, which is closed when the last path from there is removed.
    /// </summary>
    /// <param name="localEndPoint">From which address of this machine; port 0 lets the system choose one.</param>
    /// <param name="remoteEndPoint">To which address of the server; null: to <see cref="RemoteEndPoint"/>.</param>
    /// <param name="cancellationToken">Ends the wait; the path is then given up.</param>
    /// <returns>The path, as it was when it was validated.</returns>
    /// <exception cref="ArgumentException">The two addresses are of different families.</exception>
    /// <exception cref="InvalidOperationException">On a server: only clients open paths (draft-ietf-quic-multipath-21 section 3.1).</exception>
    /// <exception cref="QuicException">
    /// <see cref="QuicError.MultipathNotNegotiated"/>: there is one path only. <see cref="QuicError.PathLimitReached"/> and
    /// <see cref="QuicError.NoPathConnectionId"/>: there may be no more of them now, and the server did not change that within three probe
    /// timeouts and a second. <see cref="QuicError.PathForbidden"/>: the server allows none to that address. <see cref="QuicError.PathNotValidated"/>: the
    /// server does not answer on it, or gave it up. Otherwise the connection has ended. Whatever it is but that, the other paths go on.
    /// </exception>
    /// <exception cref="SocketException">The local address cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public async ValueTask<QuicPath> OpenPathAsync(
        IPEndPoint localEndPoint, IPEndPoint? remoteEndPoint = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(localEndPoint);
        if (!IsClient)
        {
            throw new InvalidOperationException(
                "Only a client can open a path (draft-ietf-quic-multipath-21 section 3.1); a server uses those that its client opens.");
        }

        // Section 3.1: not before the handshake is confirmed, which takes a round trip more than completing it.
        await _confirmed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        IPEndPoint to = remoteEndPoint ?? RemoteEndPoint;
        if (to.AddressFamily != localEndPoint.AddressFamily)
        {
            throw new ArgumentException($"No path leads from {localEndPoint} to {to}: the addresses are of different families.", nameof(localEndPoint));
        }

        ClientAddresses.Check(to, localEndPoint);
        NetworkAddress local = _sockets.Take(NetworkAddress.FromEndPoint(localEndPoint), to);
        uint pathId;
        TaskCompletionSource<QuicPath> opened;
        try
        {
            (pathId, opened) = await BeginPathAsync(local, NetworkAddress.FromEndPoint(to), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            EndTake(local);
        }

        Driver.Wake();
        try
        {
            return await opened.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            GiveUp(pathId);
            throw;
        }
    }

    /// <summary>
    /// Gives a path up: nothing is sent on it any more, on either side, and what it held goes by the others. Both sides may do so with any
    /// path but the last that works.
    /// </summary>
    /// <param name="pathId">Its <see cref="QuicPath.PathId"/>. One that is being given up already is waited for.</param>
    /// <param name="errorCode">
    /// Why, for the peer: see <see cref="QuicPathErrorCode"/>; 0 to 2^62-1. By default <see cref="QuicPathErrorCode.ApplicationRequest"/>.
    /// </param>
    /// <param name="cancellationToken">Ends the wait; the path goes all the same.</param>
    /// <returns>
    /// When it is removed and its socket given back: three probe timeouts after the peer confirmed it, for packets that are late
    /// (draft-ietf-quic-multipath-21 section 3.4), or twelve where the peer does not.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">The id is not from 0 to 2^32-1, or the code not from 0 to 2^62-1.</exception>
    /// <exception cref="QuicException">
    /// <see cref="QuicError.MultipathNotNegotiated"/>: there is one path only. <see cref="QuicError.PathNotFound"/>: there is none of that id.
    /// <see cref="QuicError.NoViablePath"/>: no other path works at the moment; close the connection if that is what is wanted. Otherwise the
    /// connection has ended.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public async ValueTask ClosePathAsync(
        long pathId, long errorCode = QuicPathErrorCode.ApplicationRequest, CancellationToken cancellationToken = default)
    {
        CheckPathId(pathId);
        ArgumentOutOfRangeException.ThrowIfNegative(errorCode);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(errorCode, QuicConnectionOptions.MaxErrorCode);
        uint id = (uint)pathId;
        TaskCompletionSource? closed;
        lock (Driver.Gate)
        {
            if (FindPath(id).Phase != PathPhase.Abandoned && !Driver.Core.TryAbandonPath(id, (ulong)errorCode, Driver.Now))
            {
                throw Failure(
                    QuicError.NoViablePath,
                    $"Path {id} is the last one that works, so it cannot be given up. Open another one first, or close the connection.");
            }

            if (!_closings.TryGetValue(id, out closed))
            {
                _closings[id] = closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        Driver.Wake();
        await closed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Says how a path is to be used: the peer is told, and where one side or both state that it is a backup, both send on it only where no
    /// other path works. Every path is available at first.
    /// </summary>
    /// <param name="pathId">Its <see cref="QuicPath.PathId"/>.</param>
    /// <param name="status">How this side wants it to be used.</param>
    /// <exception cref="ArgumentOutOfRangeException">The id is not from 0 to 2^32-1, or the status is none.</exception>
    /// <exception cref="QuicException">
    /// <see cref="QuicError.MultipathNotNegotiated"/>: there is one path only. <see cref="QuicError.PathNotFound"/>: there is none of that id,
    /// or it is being given up. Otherwise the connection has ended.
    /// </exception>
    public void SetPathStatus(long pathId, QuicPathStatus status)
    {
        CheckPathId(pathId);
        if (status is not (QuicPathStatus.Available or QuicPathStatus.Backup))
        {
            throw new ArgumentOutOfRangeException(nameof(status), status, "A path is available or a backup.");
        }

        uint id = (uint)pathId;
        lock (Driver.Gate)
        {
            _ = FindPath(id);
            if (!Driver.Core.TrySetBackup(id, status == QuicPathStatus.Backup))
            {
                throw NoSuchPath(id);
            }
        }

        Driver.Wake();
    }

    /// <summary>
    /// Asks the peer for a sign of life on each path now: for when something happened that may have broken some of them, such as a change of
    /// the machine's networks. What does not answer within two probe timeouts is told as <see cref="QuicPathState.Suspect"/>, and its work goes
    /// by the others. No effect on a connection that has ended.
    /// </summary>
    public void ProbePaths()
    {
        lock (Driver.Gate)
        {
            if (_closeInfo is not null || !Driver.IsSetUp)
            {
                return;
            }

            Driver.Core.Ping();
        }

        Driver.Wake();
    }

    void IConnectionEvents.OnPathCredit()
    {
        _pathCredit?.TrySetResult();
        _pathCredit = null;
    }

    private static QuicException Failure(QuicError error, string message) => new(error, null, null, message);

    private static QuicException NoSuchPath(uint id) => Failure(
        QuicError.PathNotFound, $"There is no path {id}, or none any more; {nameof(GetPaths)} lists those that there are.");

    private static void CheckPathId(long pathId)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pathId);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pathId, uint.MaxValue);
    }

    /// <summary>Begins to open a path, as soon as the peer allows one.</summary>
    private async ValueTask<(uint PathId, TaskCompletionSource<QuicPath> Opened)> BeginPathAsync(
        NetworkAddress local, NetworkAddress remote, CancellationToken cancellationToken)
    {
        long? deadline = null;
        while (true)
        {
            Task credit;
            TimeSpan wait;
            lock (Driver.Gate)
            {
                if (TryBeginPath(local, remote) is { } begun)
                {
                    return begun;
                }

                credit = NextCredit(ref deadline, out wait) ?? throw Blocked();
            }

            await WaitForCreditAsync(credit, wait, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Under the gate: completes when the peer gives connection ids; null where it has had its time to do so.</summary>
    private Task? NextCredit(ref long? deadline, out TimeSpan wait)
    {
        deadline ??= Driver.Now + Math.Max(CreditProbeTimeouts * Driver.Core.State.Paths.ProbeTimeoutPeriod, LeastPatience);
        wait = TimeSpan.FromMicroseconds(Math.Max(0, deadline.Value - Driver.Now));
        if (wait == TimeSpan.Zero)
        {
            return null;
        }

        _pathCredit ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _pathCredit.Task;
    }

    private async ValueTask WaitForCreditAsync(Task credit, TimeSpan wait, CancellationToken cancellationToken)
    {
        // What tells the peer that somebody waits goes out: ids that are given back, PATHS_BLOCKED, PATH_CIDS_BLOCKED.
        Driver.Wake();
        try
        {
            await credit.WaitAsync(wait, TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // What is missing is told by the last attempt.
        }
    }

    /// <summary>Under the gate: null where the peer allows no further path yet.</summary>
    private (uint PathId, TaskCompletionSource<QuicPath> Opened)? TryBeginPath(in NetworkAddress local, in NetworkAddress remote)
    {
        ThrowIfClosed();
        ThrowIfOnePath();
        switch (Driver.Core.TryOpenPath(local, remote, Driver.Now, out uint id))
        {
            case PathOpening.Begun:
                return (id, _openings[id] = new TaskCompletionSource<QuicPath>(TaskCreationOptions.RunContinuationsAsynchronously));
            case PathOpening.Blocked:
                return null;
            default:
                throw Failure(
                    QuicError.PathForbidden,
                    $"The server asks its clients not to open paths to {remote}: another of its addresses may be allowed.");
        }
    }

    /// <summary>Under the gate: why there is no further path.</summary>
    private QuicException Blocked()
    {
        PathTable paths = Driver.Core.State.Paths;
        foreach (Paths.Path path in paths.Known)
        {
            if (path.Phase == PathPhase.Unused && path.Id <= paths.Limits.Common)
            {
                return Failure(
                    QuicError.NoPathConnectionId,
                    $"The peer has given no connection id for path {path.Id} yet, without which nothing can be sent on it. Try again later.");
            }
        }

        return Failure(
            QuicError.PathLimitReached,
            $"No further path is allowed: the ids up to {paths.Limits.Common} are used, and this side allows ids up to {paths.Limits.Own}, "
                + $"the peer up to {paths.Limits.Peer}. Close a path, or set {nameof(QuicConnectionOptions.MaxPaths)} higher on the side that has less.");
    }

    /// <summary>The wait for the path was canceled.</summary>
    private void GiveUp(uint pathId)
    {
        lock (Driver.Gate)
        {
            if (_closeInfo is null && Driver.Core.State.Paths.Find(pathId) is { Phase: PathPhase.Validating })
            {
                _ = Driver.Core.TryAbandonPath(pathId, (ulong)QuicPathErrorCode.ApplicationRequest, Driver.Now);
            }
        }

        Driver.Wake();
    }

    /// <summary>Under the gate: a path that has addresses.</summary>
    private Paths.Path FindPath(uint id)
    {
        ThrowIfClosed();
        ThrowIfOnePath();
        return Driver.Core.State.Paths.Find(id) is { HasNetwork: true } path ? path : throw NoSuchPath(id);
    }

    private void ThrowIfOnePath()
    {
        if (!Driver.IsSetUp || !Driver.Core.IsMultipath)
        {
            throw Failure(
                QuicError.MultipathNotNegotiated,
                _options?.MaxPaths > 1
                    ? "The connection has one path only: the peer does not offer multipath, or the handshake is not complete."
                    : $"The connection has one path only: set {nameof(QuicConnectionOptions.MaxPaths)} above 1 in the options of this side.");
        }
    }

    /// <summary>Tells those who wait for a path to come or to go.</summary>
    private void SettleMultipath(in PathEvent change)
    {
        if (change.Change is PathChange.Validated or PathChange.Failed or PathChange.Abandoned
            && _openings.Remove(change.PathId, out TaskCompletionSource<QuicPath>? opening))
        {
            if (change.Change == PathChange.Validated)
            {
                opening.TrySetResult(QuicPath.From(change.Statistics));
            }
            else
            {
                opening.TrySetException(Failure(
                    QuicError.PathNotValidated,
                    change.Change == PathChange.Failed
                        ? $"The server does not answer on a path from {change.Local} to {change.Remote}."
                        : $"The path from {change.Local} to {change.Remote} was given up with code {change.Statistics.EndCode} before it was validated."));

                // Whoever canceled the wait does not look at it.
                _ = opening.Task.Exception;
            }
        }

        if (change is { Change: PathChange.Removed, Statistics.State: PathState.Abandoned }
            && _closings.Remove(change.PathId, out TaskCompletionSource? closing))
        {
            closing.TrySetResult();
        }
    }

    /// <summary>The connection is over, and with it every wait for a path.</summary>
    private void EndPathOperations(in ConnectionCloseInfo info)
    {
        foreach ((_, _, TaskCompletionSource migration) in _migrations)
        {
            migration.TrySetException(ToException(info));
            _ = migration.Task.Exception;
        }

        foreach (TaskCompletionSource<QuicPath> opening in _openings.Values)
        {
            opening.TrySetException(ToException(info));
            _ = opening.Task.Exception;
        }

        foreach (TaskCompletionSource closing in _closings.Values)
        {
            closing.TrySetResult();
        }

        _migrations.Clear();
        _openings.Clear();
        _closings.Clear();
        _pathCredit?.TrySetResult();
    }
}
