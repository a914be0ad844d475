using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>Where connections of the in-memory network arrive.</summary>
internal sealed class InMemoryListener : TransportListener
{
    private readonly InMemoryNetwork _network;
    private readonly Queue<InMemoryConnection> _waiting = new();
    private readonly PendingOperation<TransportConnection?> _accept;
    private bool _disposed;

    public InMemoryListener(
        InMemoryNetwork network, InMemoryTransport host, TransportListenRequest request, IReadOnlyList<EndPoint> endPoints)
    {
        _network = network;
        Host = host;
        Request = request;
        LocalEndPoints = endPoints;
        _accept = new PendingOperation<TransportConnection?>(network.Clock);
    }

    public override IReadOnlyList<EndPoint> LocalEndPoints { get; }

    public InMemoryTransport Host { get; }

    public TransportListenRequest Request { get; }

    public TransportCapabilities Capabilities => Host.Capabilities;

    public bool IsFull => _waiting.Count >= Request.Backlog;

    public override ValueTask<TransportConnection?> AcceptAsync(CancellationToken cancellationToken)
    {
        lock (_network.Gate)
        {
            if (_accept.IsUnderWay)
            {
                throw new InvalidOperationException("An accept of a connection is still under way.");
            }

            if (cancellationToken.IsCancellationRequested)
            {
                return ValueTask.FromCanceled<TransportConnection?>(cancellationToken);
            }

            if (_waiting.TryDequeue(out InMemoryConnection? connection))
            {
                return ValueTask.FromResult<TransportConnection?>(connection);
            }

            return _disposed
                ? ValueTask.FromResult<TransportConnection?>(null)
                : _accept.Start(this, static (listener, token) => ((InMemoryListener)listener!).Cancel(token), cancellationToken);
        }
    }

    public override ValueTask DisposeAsync()
    {
        lock (_network.Gate)
        {
            Close();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Stops listening. Under the network's lock.</summary>
    public void Close()
    {
        _disposed = true;
        _network.Remove(this);
        _accept.Complete(null);
        while (_waiting.TryDequeue(out InMemoryConnection? connection))
        {
            Refuse(connection);
        }
    }

    /// <summary>A client's first packet arrived.</summary>
    public void Offer(InMemoryConnection connection)
    {
        if (_disposed || IsFull)
        {
            Refuse(connection);
        }
        else if (_accept.IsPending)
        {
            _accept.Complete(connection);
        }
        else
        {
            _waiting.Enqueue(connection);
        }
    }

    private static void Refuse(InMemoryConnection connection)
    {
        // Nobody owns this end yet, so it is closed here; the client sees the close of a peer.
        connection.Tell(new LinkMessage(LinkMessageKind.Close, "The listener takes no more connections."));
        connection.End(new TransportException(TransportErrorReason.ClosedLocally, "The listener takes no more connections."));
    }

    private void Cancel(CancellationToken cancellationToken)
    {
        lock (_network.Gate)
        {
            _accept.Fail(new OperationCanceledException(cancellationToken));
        }
    }
}
