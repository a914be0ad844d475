using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary>Holds what a transport has opened and not closed yet, and ends it with the transport.</summary>
internal sealed class TransportScope(string name) : IAsyncDisposable
{
    private readonly HashSet<IAsyncDisposable> _open = [];
    private readonly Lock _gate = new();
    private bool _isDisposed;

    /// <summary>Throws if the transport was disposed.</summary>
    /// <exception cref="TransportException">The transport was disposed.</exception>
    public void ThrowIfDisposed()
    {
        if (Volatile.Read(ref _isDisposed))
        {
            throw Disposed();
        }
    }

    /// <summary>Holds something until it ends.</summary>
    /// <param name="opened">What was opened. Where the transport was disposed meanwhile, it is closed at once.</param>
    /// <param name="ended">Completes when it has ended, for whatever reason.</param>
    /// <exception cref="TransportException">The transport was disposed.</exception>
    public async ValueTask<T> HoldAsync<T>(T opened, Task ended)
        where T : class, IAsyncDisposable
    {
        bool isHeld;
        lock (_gate)
        {
            isHeld = !_isDisposed && _open.Add(opened);
        }

        if (!isHeld)
        {
            await opened.DisposeAsync().ConfigureAwait(false);
            throw Disposed();
        }

        // Not on the thread that ends it, which may hold locks, and without the caller's execution context, which must not live as long.
        using (ExecutionContext.SuppressFlow())
        {
            _ = ended.ContinueWith(_ => Forget(opened), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        return opened;
    }

    /// <summary>Ends all: listeners first, so that no connection is accepted meanwhile.</summary>
    public async ValueTask DisposeAsync()
    {
        IAsyncDisposable[] open;
        lock (_gate)
        {
            _isDisposed = true;
            open = [.. _open];
            _open.Clear();
        }

        foreach (var kind in open.ToLookup(static one => one is TransportListener).OrderByDescending(static kind => kind.Key))
        {
            await Task.WhenAll(kind.Select(static one => one.DisposeAsync().AsTask())).ConfigureAwait(false);
        }
    }

    private void Forget(IAsyncDisposable ended)
    {
        lock (_gate)
        {
            _open.Remove(ended);
        }
    }

    private TransportException Disposed() => new(
        TransportErrorReason.ClosedLocally,
        $"The transport '{name}' was disposed: make another one, or dispose it after all that connects and listens with it.");
}
