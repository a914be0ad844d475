namespace Post.Quic.Benchmarks.Engines;

/// <summary>One end of a connection, whoever implements it.</summary>
internal abstract class BenchConnection : IAsyncDisposable
{
    public abstract ValueTask<Stream> OpenAsync(bool bidirectional);

    public abstract ValueTask<Stream> AcceptAsync();

    /// <summary>Writes the last bytes of a stream, and its end with them.</summary>
    public abstract ValueTask WriteLastAsync(Stream stream, ReadOnlyMemory<byte> bytes);

    public abstract ValueTask DisposeAsync();
}
