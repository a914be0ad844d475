using Post.Sockets;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>How associations end, and how they do not begin.</summary>
[TestClass]
public sealed class ClosingTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_close_waits_until_every_object_has_its_end_and_both_sides_end_in_order(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        SentObject[] sent = [.. Enumerable.Range(1, 30).Select(number => pair.Client.Send(Bytes(number * 10_000)))];

        Task closing = pair.Client.CloseAsync(Cancel);
        for (int i = 0; i < sent.Length; i++)
        {
            await TakeAsync(pair.Server);
        }

        await closing;
        await pair.Server.Completion.WaitAsync(Cancel);

        Assert.IsTrue(Array.TrueForAll(sent, item => item.Receipt!.IsAcked));
        Assert.IsNull(pair.Client.Error);
        Assert.IsNull(pair.Server.Error, pair.Server.Error?.ToString());
        Assert.AreEqual(PostErrorReason.AssociationEnded, Assert.ThrowsExactly<PostException>(() => pair.Client.Send(Bytes(1))).Reason);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task The_server_closes_in_order_too(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        SentObject last = pair.Server.Send(Bytes(100_000));

        Task closing = pair.Server.CloseAsync(Cancel);
        Assert.HasCount(100_000, await TakeAsync(pair.Client));
        await closing;
        await pair.Client.Completion.WaitAsync(Cancel);

        Assert.IsTrue(last.Receipt!.IsAcked);
        Assert.IsNull(pair.Client.Error, pair.Client.Error?.ToString());
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task An_abort_fails_what_is_pending_on_both_sides(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        SentObject ours = pair.Client.Send(Bytes(1000));
        SentObject theirs = pair.Server.Send(Bytes(1000));
        await using PostStream stream = await pair.Server.OpenStreamAsync(cancellationToken: Cancel);

        // Both lie at the other side and nobody takes them, so neither has its end.
        await UntilAsync(() => pair.Client.HeldBytes > 0 && pair.Server.HeldBytes > 0);
        pair.Client.Abort();
        Receipt[] ends = await Task.WhenAll(ours.Completion, theirs.Completion).WaitAsync(Cancel);
        await pair.Server.Completion.WaitAsync(Cancel);

        foreach (Receipt end in ends)
        {
            Assert.AreEqual(ObjectOutcome.Failed, end.Outcome);
            Assert.AreEqual(PostErrorReason.Aborted, end.Error!.Reason);
        }

        Assert.AreEqual(PostErrorReason.Aborted, pair.Client.Error!.Reason);
        Assert.AreEqual(PostErrorReason.Aborted, pair.Server.Error!.Reason);
        await Assert.ThrowsExactlyAsync<PostException>(() => stream.ReadAsync(new byte[1], Cancel).AsTask());
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_listener_refuses_whom_it_does_not_want_and_they_hear_it(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await PostPair.ListenAsync(client, server, null, Cancel);
        pair.Listener.Register<Accept>(accept => accept.Refuse());

        PostException refused = await Assert.ThrowsExactlyAsync<PostException>(async () =>
        {
            // Where the handshake is complete at the client first, the refusal ends the association.
            Association association = await pair.AssociateOneSidedAsync(Cancel);
            await association.ReceiveAsync(Cancel);
        });

        Assert.AreEqual(PostErrorReason.AssociationRefused, refused.Reason);
        Assert.AreEqual(0, pair.Listener.AssociationCount);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Where_nobody_listens_the_attempt_ends_and_says_so(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await PostPair.ListenAsync(
            client,
            server,
            new PairSetup { ClientOptions = new AssociationOptions { HandshakeTimeout = TimeSpan.FromSeconds(1) } },
            Cancel);
        await pair.Listener.DisposeAsync();

        PostException failed = await Assert.ThrowsExactlyAsync<PostException>(() => pair.AssociateOneSidedAsync(Cancel));

        Assert.AreEqual(PostErrorReason.Transport, failed.Reason);
    }
}
