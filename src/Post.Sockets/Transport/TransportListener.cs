using System.Net;

namespace Post.Sockets.Transport;

/// <summary>The accepting side of a transport.</summary>
public abstract class TransportListener : IAsyncDisposable
{
    /// <summary>Where it listens, with the ports that the system chose.</summary>
    public abstract IReadOnlyList<EndPoint> LocalEndPoints { get; }

    /// <summary>Waits for the next connection whose handshake is complete (or which already brings early data).</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>
    /// The connection, or null once the listener was closed. A peer that fails its handshake is the listener's own affair
    /// and never ends the loop of the caller.
    /// </returns>
    /// <exception cref="TransportException">The listener failed and cannot go on.</exception>
    public abstract ValueTask<TransportConnection?> AcceptAsync(CancellationToken cancellationToken);

    /// <summary>Stops listening; connections already accepted go on.</summary>
    /// <returns>When the endpoints are closed.</returns>
    public abstract ValueTask DisposeAsync();
}
