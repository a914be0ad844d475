using System.Net;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Tests.Diagnostics;

namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>What the log says of many handshakes at once.</summary>
[TestClass]
public sealed class HandshakeLoadTests
{
    private const int RetryModeEntered = 6;
    private const int RetryModeLeft = 7;
    private const int ClientsTurnedAway = 8;
    private const long Second = 1_000_000;

    private static readonly IPEndPoint Local = new(IPAddress.Loopback, 443);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    public void A_load_about_the_threshold_is_told_once()
    {
        var log = new ListLogger();
        var load = new HandshakeLoad(log, Local);
        var policy = new IncomingPolicy { RetryThreshold = 100 };
        for (int round = 0; round < 10; round++)
        {
            load.OnChanged(99, policy);
            load.OnChanged(100, policy);
            load.OnChanged(101, policy);
        }

        Assert.AreEqual(RetryModeEntered, log.Events.Single().Id);
        load.OnChanged(51, policy);
        Assert.HasCount(1, log.Events);
        load.OnChanged(50, policy);
        load.OnChanged(0, policy);
        Assert.AreEqual(RetryModeLeft, log.Events[^1].Id);
        Assert.HasCount(2, log.Events);
    }

    [TestMethod]
    public void Who_always_or_never_asks_for_proof_has_nothing_to_tell()
    {
        var log = new ListLogger();
        var load = new HandshakeLoad(log, Local);
        load.OnChanged(5_000, new IncomingPolicy { Retry = QuicRetryPolicy.Always });
        load.OnChanged(5_000, new IncomingPolicy { Retry = QuicRetryPolicy.Never });
        load.OnChanged(5_000, null);
        Assert.HasCount(0, log.Events);
    }

    [TestMethod]
    public void A_flood_that_is_turned_away_is_told_once_a_minute()
    {
        var log = new ListLogger();
        var load = new HandshakeLoad(log, Local);
        for (long now = 0; now < 150 * Second; now += Second / 10)
        {
            load.OnTurnedAway(4096, now);
        }

        Assert.HasCount(3, log.Events);
        Assert.IsTrue(log.Events.All(entry => entry.Id == ClientsTurnedAway));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_listener_with_as_many_handshakes_as_it_takes_says_that_it_turns_clients_away()
    {
        var log = new ListLogger();
        var stuck = new TaskCompletionSource<QuicServerConnectionOptions>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using QuicListener listener = await LoopbackPair.ListenAsync(listen: options => options with
        {
            LoggerFactory = new OneLogger(log),
            MaxConcurrentHandshakes = 1,
            ConnectionOptionsCallback = (_, _, _) => new ValueTask<QuicServerConnectionOptions>(stuck.Task),
        });
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task<QuicConnection>[] clients = [.. Enumerable.Range(0, 3).Select(_ => LoopbackPair.ConnectToAsync(listener, giveUp.Token).AsTask())];
        while (!log.Events.Any(entry => entry.Id == ClientsTurnedAway))
        {
            await Task.Delay(10, Cancel);
        }

        await giveUp.CancelAsync();
        foreach (Task<QuicConnection> client in clients)
        {
            await Assert.ThrowsAsync<OperationCanceledException>(() => client);
        }
    }
}
