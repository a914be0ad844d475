using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks.Cases.Streams;

/// <summary>What connections cost that do nothing.</summary>
internal sealed class IdleConnectionsCase : BenchCase
{
    public override string Name => "idle-connections";

    public override string Measures => "Memory of --associations bare connections that do nothing, both ends together.";

    public override string Excludes => "The kernel's memory; the managed heap leaves out what a native library holds.";

    public override Task<IReadOnlyList<Figure>> RunAsync(
        BenchEngine engine, BenchOptions settings, CancellationToken cancellationToken) =>
        IdleMemory.MeasureAsync(
            settings.Associations, "connection", async () => await engine.ConnectAsync(cancellationToken), cancellationToken);
}
