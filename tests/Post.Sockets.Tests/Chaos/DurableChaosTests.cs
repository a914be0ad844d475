using System.Security.Cryptography;
using Post.Sockets.Tests.Resumption;

namespace Post.Sockets.Tests.Chaos;

/// <summary>
/// Random worlds in which connections are lost and either process is killed at any moment, while files of awkward sizes go from one to the
/// other until all of them are whole.
/// </summary>
[TestClass]
public sealed class DurableChaosTests
{
    // One below, at, and one past: what is copied behind a header, read at a time, large, held by a pipe.
    private static readonly int[] Sizes =
        [.. new[] { 1, 4096, 16 * 1024, 64 * 1024, 128 * 1024, 256 * 1024 }.SelectMany(size => new[] { size - 1, size, size + 1 }), 1_000_000];

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void Every_file_becomes_whole_over_any_number_of_restarts_and_little_moves_twice()
    {
        var worlds = new ChaosWorlds(TestContext);
        worlds.Run(usual: 60, [], Run);
    }

    private static void Run(int seed)
    {
        var random = new Random(seed);
        var link = ChaosWorlds.Link(random, slowest: 2_000_000, farthest: 40, worst: 0.03);
        var world = new DurableWorld(seed, link)
        {
            ClientOptions = new() { ResumptionTimeout = TimeSpan.FromSeconds(random.Next(0, 4)), IdleTimeout = TimeSpan.FromSeconds(3), KeepAliveInterval = TimeSpan.FromSeconds(1) },
            ServerOptions = new()
            {
                Incremental = (IncrementalDelivery)random.Next(1, 3),
                ReceiptLevel = (ReceiptLevel)random.Next(2),
                HandlerConcurrency = random.Next(1, 4),
                ResumptionTimeout = TimeSpan.FromSeconds(random.Next(0, 4)),
                IdleTimeout = TimeSpan.FromSeconds(3),
                KeepAliveInterval = TimeSpan.FromSeconds(1),
            },
        };
        DurableWorld.Run(world, world => PlayAsync(world, random, seed), TimeSpan.FromHours(3));
    }

    private static async Task PlayAsync(DurableWorld world, Random random, int seed)
    {
        var files = Enumerable.Range(0, random.Next(1, 6)).Select(_ => PostWorld.Bytes(Sizes[random.Next(Sizes.Length)], random.Next())).ToArray();
        var isPlaying = true;
        var kills = random.Next(6);
        await world.StartServerAsync();
        await world.StartClientAsync();
        var killing = KillAsync();
        var acked = new HashSet<int>();
        while (acked.Count < files.Length)
        {
            var client = world.Client;
            try
            {
                var sent = Enumerable.Range(0, files.Length).Where(i => !acked.Contains(i)).Select(i => (i, Send(client, files[i], random))).ToArray();
                foreach (var (i, item) in sent)
                {
                    var receipt = await item.Completion;
                    Assert.IsTrue(receipt.Outcome is ObjectOutcome.Acked or ObjectOutcome.Failed, $"{i}: {receipt}");
                    Assert.AreNotEqual(PostErrorReason.ProtocolViolation, receipt.Error?.Reason, receipt.Error?.Message);
                    if (receipt.IsAcked)
                    {
                        acked.Add(i);
                    }
                }
            }
            catch (PostException exception) when (exception.Reason is not PostErrorReason.ProtocolViolation)
            {
                // Killed: the next one goes on.
            }

            if (acked.Count < files.Length)
            {
                await world.DelayAsync(100);
                await ConnectAsync();
            }
        }

        isPlaying = false;
        var moved = world.Moved;
        var all = files.Sum(static file => file.Length);
        Assert.IsLessThan((all * 1.3) + ((1 + world.Losses) * 400_000), moved, $"{moved} bytes moved for {all}, with {world.Losses} losses");
        await killing;
        await world.DelayAsync(1000);
        CollectionAssert.AreEquivalent(
            files.Select(SHA256.HashData).Select(Convert.ToHexString).Distinct().ToArray(),
            world.Kept.Values.Select(file => Convert.ToHexString(SHA256.HashData(file.ToArray()))).ToArray(),
            $"seed {seed}");

        async Task ConnectAsync()
        {
            while (world.Client.Completion.IsCompleted)
            {
                try
                {
                    await world.StartClientAsync();
                }
                catch (PostException)
                {
                    await world.DelayAsync(500);
                }
            }
        }

        async Task KillAsync()
        {
            while (isPlaying && kills-- > 0)
            {
                await world.DelayAsync(random.Next(1, 1500));
                switch (random.Next(4))
                {
                    case 0:
                        await world.KillServerAsync();
                        await world.DelayAsync(random.Next(300));
                        await world.StartServerAsync();
                        break;
                    case 1:
                        world.KillClient();
                        break;
                    default:
                        world.Lose();
                        break;
                }
            }
        }
    }

    private static SentObject Send(Association client, byte[] bytes, Random random)
    {
        ObjectProperties properties = new() { DurableId = SHA256.HashData(bytes), Niceness = random.Next(2) };
        return random.Next(4) switch
        {
            0 => client.Send(bytes, properties),
            1 => client.Send(new MemoryStream(bytes), properties),
            2 => client.Send(Open, null, properties),
            _ => client.Send(Open, bytes.Length, properties),
        };

        ValueTask<Stream> Open(long offset, CancellationToken cancellationToken) =>
            ValueTask.FromResult<Stream>(new MemoryStream(bytes, (int)offset, bytes.Length - (int)offset));
    }
}
