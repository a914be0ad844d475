using Post.Sockets.Tests.Seam;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Machines;

/// <summary>The transport of a machine: what comes while it stands still waits for it.</summary>
internal sealed class MachineTransport(PostTransport inner, SeamGuard guard, Machine machine) : PostTransport
{
    public override string Name => inner.Name;

    public override TimeProvider TimeProvider => machine.Time;

    public override TransportDispatcher Dispatcher => machine.Dispatcher;

    public override TransportCapabilities Capabilities => inner.Capabilities;

    public override Random CreateRandom() => inner.CreateRandom();

    public override async ValueTask<TransportConnection> ConnectAsync(TransportConnectRequest request, CancellationToken cancellationToken)
    {
        var connection = await inner.ConnectAsync(request, cancellationToken).ConfigureAwait(false);
        await machine.WhileStoppedAsync().ConfigureAwait(false);
        return new MachineConnection(connection, guard, machine);
    }

    public override async ValueTask<TransportListener> ListenAsync(TransportListenRequest request, CancellationToken cancellationToken) =>
        new MachineListener(await inner.ListenAsync(request, cancellationToken).ConfigureAwait(false), guard, machine);

    private sealed class MachineListener(TransportListener inner, SeamGuard guard, Machine machine) : TransportListener
    {
        public override IReadOnlyList<System.Net.EndPoint> LocalEndPoints => inner.LocalEndPoints;

        public override async ValueTask<TransportConnection?> AcceptAsync(CancellationToken cancellationToken)
        {
            var connection = await inner.AcceptAsync(cancellationToken).ConfigureAwait(false);
            await machine.WhileStoppedAsync().ConfigureAwait(false);
            return connection is null ? null : new MachineConnection(connection, guard, machine);
        }

        public override ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
