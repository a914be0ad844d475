using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>A client opens one more path: a round trip shows whether it reaches the server.</summary>
internal sealed class InMemoryPathOpening : ClockEntry
{
    private const int Tries = 3;

    private static readonly long MinWait = TimeSpan.FromMilliseconds(100).Ticks;

    private readonly InMemoryWire _wire;
    private readonly InMemoryPath _path;
    private readonly PendingOperation<PostPath> _wait;
    private int _tried;

    public InMemoryPathOpening(InMemoryWire wire, IPEndPoint client, EndPoint server)
    {
        _wire = wire;
        _path = wire.MakePath(client, null, null, PostPathState.Validating, server);
        _wait = new PendingOperation<PostPath>(wire.Network.Clock);
    }

    public ValueTask<PostPath> Start(CancellationToken cancellationToken)
    {
        ScheduleTry();
        return _wait.Start(this, static (opening, token) => ((InMemoryPathOpening)opening!).Cancel(token), cancellationToken);
    }

    public override void Fire()
    {
        lock (_wire.Network.Gate)
        {
            if (_wire.ClientEnd.Failure is { } failure)
            {
                _wait.Fail(failure.Again());
            }
            else if (_path.AtClient.State == PostPathState.Removed)
            {
                Fail("The path was given up before it was validated.");
            }
            else if (_path.ComesThrough && _path.ToServer.Loss < 1 && _path.ToClient.Loss < 1)
            {
                InMemoryPathValidation.Validate(_path);
                _wait.Complete(_path.AtClient.Snapshot(measured: true));
            }
            else if (++_tried < Tries)
            {
                ScheduleTry();
            }
            else
            {
                _wire.DropPath(_path);
                Fail("The new path did not answer.");
            }
        }
    }

    private void Fail(string message) => _wait.Fail(new TransportException(TransportErrorReason.Unreachable, message));

    private void ScheduleTry() => _wire.Network.Clock.Schedule(
        this, _wire.Network.Clock.NowTicks + Math.Max(_path.RoundTripTicks, _tried == 0 ? 0 : MinWait << _tried));

    private void Cancel(CancellationToken cancellationToken)
    {
        lock (_wire.Network.Gate)
        {
            if (_path.AtClient.State == PostPathState.Validating)
            {
                _wire.Network.Clock.Cancel(this);
                _wire.DropPath(_path);
                _wait.Fail(new OperationCanceledException(cancellationToken));
            }
        }
    }
}
