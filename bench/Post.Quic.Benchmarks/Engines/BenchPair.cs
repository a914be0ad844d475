namespace Post.Quic.Benchmarks.Engines;

/// <summary>Both ends of one connection.</summary>
internal sealed class BenchPair(BenchConnection client, BenchConnection server) : IAsyncDisposable
{
    public BenchConnection Client { get; } = client;

    public BenchConnection Server { get; } = server;

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
    }
}
