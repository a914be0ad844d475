namespace Post.Quic.Benchmarks.Engines;

/// <summary>A connection over which whole streams are sent in one call, and come in one.</summary>
internal abstract class WholeStreamPair : IAsyncDisposable
{
    /// <summary>Takes what comes, one stream at a time.</summary>
    public delegate void Handler(ReadOnlySpan<byte> bytes);

    /// <summary>Sends a stream, waiting for room.</summary>
    public abstract ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Says who takes what comes.</summary>
    public abstract void Receive(Handler handler);

    public abstract ValueTask DisposeAsync();
}
