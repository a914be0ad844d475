using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;
using Post.Sockets.Diagnostics;
using Post.Sockets.Paths;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Keeping;

/// <summary>
/// Carries out what the <see cref="PathManager"/> of an association decides, and tells it what happens. Everything comes in through one queue
/// that is worked off on the dispatcher: nothing here runs under a lock, and nothing waits for the transport.
/// </summary>
internal sealed class PathKeeper : IThreadPoolWorkItem, IDisposable
{
    /// <summary>A path that is not validated after so long is not worth the wait; its way is tried again later.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<Action<TimeSpan>> _inputs = new();
    private readonly PathManager _manager;
    private readonly InterfaceWatcher _machine;
    private readonly TransportDispatcher _dispatcher;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Action _reconnect;
    private readonly IDisposable _watch;
    private readonly long _origin;
    private TransportConnection? _connection;
    private ITimer? _timer;
    private int _pending;
    private volatile bool _isDisposed;

    /// <param name="transport">What carries the association.</param>
    /// <param name="machine">The interfaces that it follows.</param>
    /// <param name="local">Which of them it may use.</param>
    /// <param name="policy">How several paths are used.</param>
    /// <param name="log">Where it tells what it does.</param>
    /// <param name="reconnect">Called where there is no connection and the machine has a new way.</param>
    public PathKeeper(
        PostTransport transport, InterfaceWatcher machine, Local local, MultipathPolicy policy, ILogger log, Action reconnect)
    {
        _machine = machine;
        _dispatcher = transport.Dispatcher;
        _time = transport.TimeProvider;
        _origin = _time.GetTimestamp();
        _log = log;
        _reconnect = reconnect;
        _manager = new PathManager(policy, local);
        _watch = machine.Watch(OnMachineChanged);
        OnMachineChanged();
    }

    /// <summary>The association has a connection, whose handshake is complete.</summary>
    public void Attach(TransportConnection connection) => Post(now =>
    {
        if (_connection != connection)
        {
            _connection = connection;
            _manager.OnConnected(connection.IsClient, connection.Capabilities, connection.GetPaths(), now);
        }
    });

    /// <summary>The connection is lost.</summary>
    public void Detach(TransportConnection connection) => Post(_ =>
    {
        if (_connection == connection)
        {
            _connection = null;
            _manager.OnDisconnected();
        }
    });

    /// <summary>Something happened to a path of the connection.</summary>
    public void OnPath(TransportConnection connection, PostPath path, PostPathChange change) => Post(connection, now => _manager.OnPath(path, change, now));

    /// <summary>The peer says at which further addresses it can be reached.</summary>
    public void OnPeerAddresses(TransportConnection connection, IReadOnlyList<IPEndPoint> addresses) =>
        Post(connection, now => _manager.OnPeerAddresses(addresses, now));

    /// <summary>The association is over.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _watch.Dispose();
        Post(_ => _timer?.Dispose());
    }

    void IThreadPoolWorkItem.Execute()
    {
        do
        {
            Volatile.Write(ref _pending, 1);
            while (_inputs.TryDequeue(out var input))
            {
                input(Now);
            }

            if (!_isDisposed)
            {
                CarryOut();
                Arm();
            }
        }
        while (Interlocked.CompareExchange(ref _pending, 0, 1) != 1);
    }

    private TimeSpan Now => _time.GetElapsedTime(_origin);

    private void OnMachineChanged() => Post(now => _manager.OnMachine(_machine.Current, now));

    private void Post(TransportConnection connection, Action<TimeSpan> input) => Post(now =>
    {
        if (_connection == connection)
        {
            input(now);
        }
    });

    private void Post(Action<TimeSpan> input)
    {
        _inputs.Enqueue(input);
        if (Interlocked.Exchange(ref _pending, 2) == 0)
        {
            _dispatcher.Queue(this);
        }
    }

    private void CarryOut()
    {
        while (_manager.TryTake(out var action))
        {
            _log.PathDecision(action.Kind, action.PathId, action.Way?.Interface, action.Way?.Local, action.Way?.Remote);
            if (action.Kind == PathActionKind.Reconnect)
            {
                _reconnect();
            }
            else if (_connection is { } connection)
            {
                // What flows here is of whoever happened to report last.
                using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
                {
                    _ = CarryOutAsync(connection, action);
                }
            }
        }
    }

    private async Task CarryOutAsync(TransportConnection connection, PathAction action)
    {
        using var patience = new CancellationTokenSource(Patience, _time);
        try
        {
            switch (action.Kind)
            {
                case PathActionKind.Open:
                    await connection.OpenPathAsync(action.Way!.Local, action.Way.Remote, patience.Token).ConfigureAwait(false);
                    break;
                case PathActionKind.Move:
                    await connection.MigrateAsync(action.Way!.Local, patience.Token).ConfigureAwait(false);
                    break;
                case PathActionKind.Close:
                    await connection.ClosePathAsync(action.PathId, CancellationToken.None).ConfigureAwait(false);
                    return;
                default:
                    connection.SetPathStatus(
                        action.PathId, action.Kind == PathActionKind.Use ? TransportPathStatus.Available : TransportPathStatus.Backup);
                    return;
            }

            Post(connection, now => _manager.OnTried(action.Way, succeeded: true, now));
        }
        catch (Exception exception)
        {
            // Whatever it is, the association goes on: with the paths that it has, or with another connection.
            _log.PathFailed(action.Kind, action.PathId, action.Way?.Local, action.Way?.Remote, exception.Message);
            if (action.Way is { } way)
            {
                Post(connection, now => _manager.OnTried(way, succeeded: false, now));
            }
            else if (action.Kind == PathActionKind.Close)
            {
                Post(connection, now => _manager.OnCloseFailed(action.PathId, now));
            }
        }
    }

    private void Arm()
    {
        if (_manager.NextTimeout is { } next)
        {
            var wait = next - Now;
            if (_timer is null)
            {
                using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
                {
                    _timer = _time.CreateTimer(
                        static keeper => ((PathKeeper)keeper!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                }
            }

            _timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
        else
        {
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnTimer() => Post(_manager.OnTimeout);
}
