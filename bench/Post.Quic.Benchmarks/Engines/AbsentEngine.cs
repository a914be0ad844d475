namespace Post.Quic.Benchmarks.Engines;

/// <summary>An engine that this machine does not have; no case is measured with it.</summary>
internal sealed class AbsentEngine(string name, string key, string reason) : BenchEngine
{
    public override string Name => name;

    public override string Key => key;

    public override Task<BenchPair> ConnectAsync(CancellationToken cancellationToken) => throw new NotMeasuredException(reason);

    public override Task<ObjectService> ServeAsync(ServiceOptions options, CancellationToken cancellationToken) =>
        throw new NotMeasuredException(reason);

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
