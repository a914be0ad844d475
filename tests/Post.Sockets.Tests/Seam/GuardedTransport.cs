using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Seam;

/// <summary>
/// A transport in front of another that lets a <see cref="SeamGuard"/> look at each call. Its clock and its dispatcher are not looked at: they
/// only take note, hold no lock of a connection, and may be asked under every lock.
/// </summary>
internal sealed class GuardedTransport(PostTransport inner, SeamGuard guard) : PostTransport
{
    public override string Name => inner.Name;

    public override TimeProvider TimeProvider => inner.TimeProvider;

    public override TransportDispatcher Dispatcher => inner.Dispatcher;

    public override TransportCapabilities Capabilities
    {
        get
        {
            guard.Check("Transport.Capabilities");
            return inner.Capabilities;
        }
    }

    public override InterfaceWatcher? Interfaces
    {
        get
        {
            guard.Check("Transport.Interfaces");
            return inner.Interfaces;
        }
    }

    public override Random CreateRandom()
    {
        guard.Check("Transport.CreateRandom");
        return inner.CreateRandom();
    }

    public override async ValueTask<TransportConnection> ConnectAsync(TransportConnectRequest request, CancellationToken cancellationToken)
    {
        guard.Check("Transport.ConnectAsync");
        return new GuardedConnection(await inner.ConnectAsync(request, cancellationToken).ConfigureAwait(false), guard);
    }

    public override async ValueTask<TransportListener> ListenAsync(TransportListenRequest request, CancellationToken cancellationToken)
    {
        guard.Check("Transport.ListenAsync");
        return new GuardedListener(await inner.ListenAsync(request, cancellationToken).ConfigureAwait(false), guard);
    }

    public override async ValueTask DisposeAsync()
    {
        guard.Check("Transport.DisposeAsync");
        await inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }
}
