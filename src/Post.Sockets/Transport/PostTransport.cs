namespace Post.Sockets.Transport;

/// <summary>
/// What carries Post: something that connects and listens, multiplexes streams, and maybe datagrams, over one or more paths.
/// This class and its neighbours are the whole of what Post knows about the network.
/// </summary>
public abstract class PostTransport : IAsyncDisposable
{
    /// <summary>A short name for logs and metrics, for example <c>in-memory</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What connections of this transport can do at most; each connection states what it can do in fact.</summary>
    public abstract TransportCapabilities Capabilities { get; }

    /// <summary>
    /// The clock by which lifetimes, deadlines and timers of associations on this transport run. Where the machine may sleep, it should run on
    /// meanwhile, which <see cref="TimeProvider.System"/> does not everywhere: the peer's clock does.
    /// </summary>
    public virtual TimeProvider TimeProvider => TimeProvider.System;

    /// <summary>Where associations on this transport run their work.</summary>
    public virtual TransportDispatcher Dispatcher => TransportDispatcher.ThreadPool;

    /// <summary>
    /// The network interfaces that connections of this transport go over; null where associations on it shall not follow the machine by
    /// themselves.
    /// </summary>
    public virtual InterfaceWatcher? Interfaces => null;

    /// <summary>
    /// Makes a source of randomness for what need be neither secret nor unguessable, such as the length of a pause. A transport in virtual
    /// time gives one that repeats with its seed.
    /// </summary>
    public virtual Random CreateRandom() => new();

    /// <summary>Connects to a remote.</summary>
    /// <param name="request">Who connects, to whom, and how.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>
    /// A connection whose handshake is complete; or, where early data was asked for and a session allows it, one that can
    /// already send it.
    /// </returns>
    /// <exception cref="TransportException">No connection could be made; the reason says why.</exception>
    public abstract ValueTask<TransportConnection> ConnectAsync(TransportConnectRequest request, CancellationToken cancellationToken);

    /// <summary>Listens on the endpoints of a local.</summary>
    /// <param name="request">Who listens, and how.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="TransportException">The endpoint could not be opened.</exception>
    public abstract ValueTask<TransportListener> ListenAsync(TransportListenRequest request, CancellationToken cancellationToken);

    /// <summary>Releases what the transport holds for all of its connections (sockets, threads); they end with it.</summary>
    /// <returns>When all is released.</returns>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
