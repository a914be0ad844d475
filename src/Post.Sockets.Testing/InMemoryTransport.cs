using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>A transport on an <see cref="InMemoryNetwork"/>: what one host of that network has.</summary>
public sealed class InMemoryTransport : PostTransport
{
    private readonly InMemoryNetwork _network;
    private bool _isDisposed;

    internal InMemoryTransport(InMemoryNetwork network, TransportCapabilities capabilities)
    {
        _network = network;
        Capabilities = capabilities;
    }

    /// <inheritdoc/>
    public override string Name => "in-memory";

    /// <summary>What it was told to offer. A connection can do what the transports of both of its ends offer.</summary>
    public override TransportCapabilities Capabilities { get; }

    /// <summary>The network's clock.</summary>
    public override TimeProvider TimeProvider => _network.Clock;

    /// <summary>The clock's queue.</summary>
    public override TransportDispatcher Dispatcher => _network.Clock.Dispatcher;

    /// <summary>Repeats with the network's seed.</summary>
    /// <returns>A source of its own for each call.</returns>
    public override Random CreateRandom()
    {
        lock (_network.Gate)
        {
            return _network.NextPauseRandom();
        }
    }

    /// <inheritdoc/>
    public override ValueTask<TransportConnection> ConnectAsync(TransportConnectRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return IsDisposed
            ? ValueTask.FromException<TransportConnection>(Disposed())
            : new InMemoryConnectAttempt(_network, this, request).Start(cancellationToken);
    }

    /// <inheritdoc/>
    public override ValueTask<TransportListener> ListenAsync(TransportListenRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_network.Gate)
        {
            if (_isDisposed)
            {
                return ValueTask.FromException<TransportListener>(Disposed());
            }

            EndPoint[] endPoints = [.. request.Local.EndPoints.DefaultIfEmpty(new IPEndPoint(IPAddress.IPv6Any, 0)).Select(_network.Bind)];
            var listener = new InMemoryListener(_network, this, request, endPoints);
            _network.Add(listener);
            return ValueTask.FromResult<TransportListener>(listener);
        }
    }

    /// <summary>The host leaves the network: its listeners close, its connections are closed, and it can do nothing more.</summary>
    /// <returns>At once.</returns>
    public override ValueTask DisposeAsync()
    {
        lock (_network.Gate)
        {
            _isDisposed = true;
            _network.Leave(this);
        }

        return base.DisposeAsync();
    }

    internal bool IsDisposed
    {
        get
        {
            lock (_network.Gate)
            {
                return _isDisposed;
            }
        }
    }

    internal static TransportException Disposed() => new(
        TransportErrorReason.ClosedLocally,
        "The in-memory transport was disposed: make another one, or dispose it after all that connects and listens with it.");
}
