namespace Post.Quic.Benchmarks.Engines;

/// <summary>Stands for what a case measures in place of an engine.</summary>
internal sealed class NoEngine(string name) : BenchEngine
{
    public override string Name => name;

    public override string Key => name;

    public override Task<BenchPair> ConnectAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public override Task<ObjectService> ServeAsync(ServiceOptions options, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
