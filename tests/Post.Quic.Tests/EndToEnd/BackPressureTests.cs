using Post.Sockets;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>Nothing grows without bound: whoever takes nothing slows down whoever sends.</summary>
[TestClass]
public sealed class BackPressureTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_receiver_that_takes_nothing_holds_the_sender_back_and_nothing_is_lost(TestEngine client, TestEngine server)
    {
        const int Count = 200;
        const int Size = 50_000;
        const int Budget = 1_000_000;
        await using PostPair pair = await ConnectAsync(client, server, new PairSetup
        {
            ClientOptions = new AssociationOptions { MaxQueuedBytes = 500_000 },
            ServerOptions = new AssociationOptions { ReceiveBudget = Budget, MaxWholeObjectSize = 100_000 },
        });
        var sent = new List<SentObject>();
        Task sending = SendAsync();

        await UntilQuietAsync(() => pair.Server.HeldBytes + pair.Client.PendingObjects);
        Assert.IsFalse(sending.IsCompleted, "All was accepted though nobody takes it.");
        Assert.IsGreaterThan(0, pair.Server.HeldBytes);
        Assert.IsLessThanOrEqualTo(Budget, pair.Server.HeldBytes);
        Assert.IsLessThan(Count, sent.Count);

        for (int i = 0; i < Count; i++)
        {
            Assert.HasCount(Size, await TakeAsync(pair.Server));
            Assert.IsLessThanOrEqualTo(Budget, pair.Server.HeldBytes);
        }

        await sending;
        foreach (SentObject item in sent)
        {
            (await item.Completion.WaitAsync(Cancel)).EnsureAcked();
        }

        async Task SendAsync()
        {
            for (int i = 0; i < Count; i++)
            {
                sent.Add(await pair.Client.SendAsync(Bytes(Size), cancellationToken: Cancel));
            }
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_full_queue_says_so_and_takes_more_once_there_is_room(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(
            client, server, new PairSetup { ClientOptions = new AssociationOptions { MaxQueuedObjects = 10 } });
        SentObject[] sent = [.. Enumerable.Range(0, 10).Select(_ => pair.Client.Send(Bytes(100)))];

        PostException full = Assert.ThrowsExactly<PostException>(() => pair.Client.Send(Bytes(100)));
        Task<SentObject> waiting = pair.Client.SendAsync(Bytes(100), cancellationToken: Cancel).AsTask();
        Assert.IsFalse(waiting.IsCompleted);
        for (int i = 0; i < sent.Length + 1; i++)
        {
            await TakeAsync(pair.Server);
        }

        Assert.AreEqual(PostErrorReason.QueueFull, full.Reason);
        (await (await waiting).Completion.WaitAsync(Cancel)).EnsureAcked();
    }
}
