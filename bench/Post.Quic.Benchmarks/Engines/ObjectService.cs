namespace Post.Quic.Benchmarks.Engines;

/// <summary>A server, and the clients that connect to it, on the level of objects.</summary>
internal abstract class ObjectService : IAsyncDisposable
{
    public abstract Task<ObjectPeer> AcceptAsync(CancellationToken cancellationToken);

    public abstract Task<ObjectPeer> ConnectAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
