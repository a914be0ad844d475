using Post.Sockets;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>What a small object costs in garbage, over both ends of the managed engine.</summary>
[TestClass]
[DoNotParallelize]
public sealed class ObjectCostTests : EndToEndTests
{
    /// <summary>
    /// What is kept of an object for its two applications takes some 800; a stream object, a pipe or a copy of the payload on the way takes a
    /// thousand more.
    /// </summary>
    private const int MostBytes = 1200;

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_small_object_leaves_little_garbage()
    {
        const int Count = 5000, Rounds = 5;
        await using PostPair pair = await ConnectAsync(TestEngine.Managed, TestEngine.Managed);
        byte[] payload = Bytes(1024);
        long taken = 0;
        pair.Server.Register<Received>(received => Interlocked.Add(ref taken, received.Object.Payload.Length));
        await SendAsync(Count);

        // A round in which more objects are pending than in all before it makes the pools and tables grow, which no later one pays again.
        double[] each = new double[Rounds];
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await SendAsync(Count);
            each[round] = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)Count;
        }

        Array.Sort(each);
        Assert.IsLessThan(MostBytes, each[Rounds / 2], string.Join(", ", each));
        Assert.AreEqual((1 + Rounds) * Count * 1024L, Interlocked.Read(ref taken));

        async Task SendAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                _ = await pair.Client.SendWithoutCopyAsync(payload, cancellationToken: Cancel);
            }

            while (pair.Client.PendingObjects > 0)
            {
                await Task.Delay(1, Cancel);
            }
        }
    }
}
