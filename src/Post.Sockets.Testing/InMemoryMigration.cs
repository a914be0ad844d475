using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>A client moves to another address: a new path is tried, then used, then the old one is given up.</summary>
internal sealed class InMemoryMigration : ClockEntry
{
    private const int Tries = 3;

    private static readonly long MinWait = TimeSpan.FromMilliseconds(100).Ticks;

    private readonly InMemoryWire _wire;
    private readonly InMemoryPath _old;
    private readonly InMemoryPath _new;
    private readonly PendingOperation<bool> _wait;
    private int _tried;
    private bool _used;

    public InMemoryMigration(InMemoryWire wire, IPEndPoint? client)
    {
        _wire = wire;
        _old = wire.ClientEnd.MainPath.Path;
        _new = wire.MakePath(client, _old.ToServer, _old.ToClient, PostPathState.Validating);
        _wait = new PendingOperation<bool>(wire.Network.Clock);
    }

    public async ValueTask Start(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ScheduleTry();
        await _wait.Start(this, static (migration, token) => ((InMemoryMigration)migration!).Cancel(token), cancellationToken)
            .ConfigureAwait(false);
    }

    public override void Fire()
    {
        lock (_wire.Network.Gate)
        {
            if (_used)
            {
                _wire.DropPath(_old);
            }
            else if (_wire.ClientEnd.Failure is { } failure)
            {
                _wait.Fail(failure.Again());
            }
            else if (_new.ComesThrough && _new.ToServer.Loss < 1 && _new.ToClient.Loss < 1)
            {
                Use();
            }
            else if (++_tried < Tries)
            {
                ScheduleTry();
            }
            else
            {
                _wire.DropPath(_new);
                _wait.Fail(new TransportException(
                    TransportErrorReason.TimedOut, "The new path did not answer; the connection stays on the old one."));
            }
        }
    }

    private void ScheduleTry() => _wire.Network.Clock.Schedule(
        this, _wire.Network.Clock.NowTicks + Math.Max(_new.RoundTripTicks, _tried == 0 ? 0 : MinWait << _tried));

    private void Use()
    {
        InMemoryConnection client = _wire.ClientEnd;
        _new.AtClient.OnRoundTrip(_new.RoundTripTicks);
        client.ReportPath(_new.AtClient, PostPathChange.Validated);
        client.UsePath(_new.AtClient);
        client.ReportPath(_new.AtClient, PostPathChange.Migrated);

        // The server moves when it hears the client there. What is under way on the old path may still arrive.
        _new.AtServer.State = PostPathState.Standby;
        _new.AtServer.OnRoundTrip(_new.RoundTripTicks);
        client.Tell(new LinkMessage(LinkMessageKind.Ping, null, 0, _wire.Network.Clock.NowTicks));
        _used = true;
        _wire.Network.Clock.Schedule(this, _wire.Network.Clock.NowTicks + _new.RoundTripTicks + _old.RoundTripTicks + 1);
        _wait.Complete(true);
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        lock (_wire.Network.Gate)
        {
            if (!_used)
            {
                _wire.Network.Clock.Cancel(this);
                _wire.DropPath(_new);
                _wait.Fail(new OperationCanceledException(cancellationToken));
            }
        }
    }
}
