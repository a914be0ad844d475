namespace Post.Quic.Benchmarks.Engines;

/// <summary>
/// One implementation under measurement, on loopback. It shows itself on two levels: as connections with streams, and as peers
/// that send each other objects.
/// </summary>
internal abstract class BenchEngine : IAsyncDisposable
{
    /// <summary>What reports call it.</summary>
    public abstract string Name { get; }

    /// <summary>What the command line calls it.</summary>
    public abstract string Key { get; }

    /// <summary>False: a connection is one stream of bytes, and only the cases that need no more can run.</summary>
    public virtual bool HasStreams => true;

    /// <summary>False: objects have no lifetimes and no datagrams; they are frames on one stream.</summary>
    public virtual bool IsPost => true;

    /// <summary>Opens the listener of the level of streams.</summary>
    public virtual Task StartAsync() => Task.CompletedTask;

    /// <summary>Connects on the level of streams; both ends are ready when it returns.</summary>
    public abstract Task<BenchPair> ConnectAsync(CancellationToken cancellationToken);

    /// <summary>A stream can be sent in one call, and comes as one event.</summary>
    public virtual bool HasWholeStreams => false;

    /// <summary>Connects for whole streams; both ends are ready when it returns.</summary>
    public virtual Task<WholeStreamPair> ConnectWholeStreamsAsync(CancellationToken cancellationToken) =>
        throw new NotSupportedException("This engine does not send a stream in one call.");

    /// <summary>Opens a server of the level of objects.</summary>
    public abstract Task<ObjectService> ServeAsync(ServiceOptions options, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
