namespace Post.Quic.Benchmarks.Engines;

/// <summary>One end of a connection, whoever implements it.</summary>
internal abstract class BenchConnection : IAsyncDisposable
{
    public abstract ValueTask<Stream> OpenAsync(bool bidirectional, CancellationToken cancellationToken);

    public abstract ValueTask<Stream> AcceptAsync(CancellationToken cancellationToken);

    /// <summary>Writes the last bytes of a stream, and its end with them.</summary>
    public abstract ValueTask WriteLastAsync(Stream stream, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
