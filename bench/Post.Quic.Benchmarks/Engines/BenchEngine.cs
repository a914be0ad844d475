namespace Post.Quic.Benchmarks.Engines;

/// <summary>One implementation under measurement: a listener on loopback, and clients that connect to it.</summary>
internal abstract class BenchEngine : IAsyncDisposable
{
    public abstract string Name { get; }

    /// <summary>False: a connection is one stream of bytes, and only the cases that need no more can run.</summary>
    public virtual bool HasStreams => true;

    public abstract Task StartAsync();

    /// <summary>Connects; both ends are ready when it returns.</summary>
    public abstract Task<BenchPair> ConnectAsync();

    public abstract ValueTask DisposeAsync();
}
