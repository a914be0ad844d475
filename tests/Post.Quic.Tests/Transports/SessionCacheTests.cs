using Post.Quic.Tests.EndToEnd;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>The session cache is the application's code: it may take its time, and may fail.</summary>
[TestClass]
public sealed class SessionCacheTests
{
    private static readonly TransportPriority Ordinary = new(3, TransportPriority.NoDeadline, Incremental: true, Order: 0);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(TestEngine.Managed)]
    [DataRow(TestEngine.MsQuic)]
    public async Task A_cache_that_takes_its_time_holds_up_no_connection(TestEngine engine)
    {
        using var cache = new SlowCache(Cancel);
        await using TransportPair pair = await PairAsync(engine, cache);
        await cache.Entered.WaitAsync(Cancel);

        // The session is being put, and the connection works: nothing of it is locked meanwhile.
        await Task.Run(pair.Client.GetStatistics, Cancel).WaitAsync(Cancel);
        TransportStream sent = await pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
        await sent.WriteAsync("through"u8.ToArray(), endOfStream: true, Cancel);
        TransportStream received = await pair.AcceptAsync(pair.Server, Cancel);
        byte[] bytes = await TransportPair.ReadAllAsync(received, Cancel);
        await pair.ClientEvents.NextAcknowledgedAsync(Cancel);
        cache.Release();

        Assert.AreEqual("through", System.Text.Encoding.UTF8.GetString(bytes));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(TestEngine.Managed)]
    [DataRow(TestEngine.MsQuic)]
    public async Task A_cache_that_fails_costs_no_connection(TestEngine engine)
    {
        var cache = new FailingCache();
        await using TransportPair pair = await PairAsync(engine, cache);
        await cache.Failed.WaitAsync(Cancel);

        (TransportConnection client, TransportConnection server) = await pair.ConnectAgainAsync(Cancel);

        Assert.IsFalse(client.IsResumed);
        TransportStream sent = await pair.Client.OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, Cancel);
        await sent.WriteAsync(new byte[1], endOfStream: true, Cancel);
        await TransportPair.ReadAllAsync(await pair.AcceptAsync(pair.Server, Cancel), Cancel);
        await client.DisposeAsync();
        await server.DisposeAsync();
    }

    private Task<TransportPair> PairAsync(TestEngine engine, ISessionCache cache) => TransportPair.ConnectAsync(
        PostPair.TransportOf(engine),
        PostPair.TransportOf(engine),
        trust: null,
        new Local { Sessions = cache },
        clientTrust: null,
        limits: null,
        Cancel);

    /// <summary>A put returns when the test lets it, or is over.</summary>
    private sealed class SlowCache(CancellationToken over) : ISessionCache, IDisposable
    {
        private readonly ManualResetEventSlim _mayReturn = new();
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Entered => _entered.Task;

        public void Release() => _mayReturn.Set();

        public void Put(string key, ReadOnlyMemory<byte> session, DateTimeOffset expiresAt)
        {
            _entered.TrySetResult();
            _mayReturn.Wait(over);
        }

        public bool TryTake(string key, out ReadOnlyMemory<byte> session)
        {
            session = default;
            return false;
        }

        public void Remove(string key)
        {
        }

        public void Dispose() => _mayReturn.Set();
    }

    private sealed class FailingCache : ISessionCache
    {
        private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Failed => _failed.Task;

        public void Put(string key, ReadOnlyMemory<byte> session, DateTimeOffset expiresAt)
        {
            _failed.TrySetResult();
            throw new IOException("The cache's server is away.");
        }

        public bool TryTake(string key, out ReadOnlyMemory<byte> session) => throw new IOException("The cache's server is away.");

        public void Remove(string key) => throw new IOException("The cache's server is away.");
    }
}
