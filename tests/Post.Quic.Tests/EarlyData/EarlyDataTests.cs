using System.Buffers;
using System.Text;
using Post.Sockets;

namespace Post.Quic.Tests.EarlyData;

/// <summary>Objects in 0-RTT data over the managed engine, on real sockets.</summary>
[TestClass]
public sealed class EarlyDataTests
{
    private static readonly ObjectProperties Safe = new() { SafeToReplay = true };

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task What_is_safe_to_replay_arrives_before_the_server_has_answered_and_nothing_else_does()
    {
        await using var world = new EarlyWorld();
        await world.ListenAsync();
        await world.MeetAsync(Cancel);

        world.Relay.HoldAnswers();
        await using Association association = await world.AssociateAsync(Cancel);
        SentObject ordinary = association.Send("ordinary"u8);
        SentObject safe = association.Send("safe"u8, Safe);
        SentObject large = association.Send(Encoding.UTF8.GetBytes(new string('x', 5_000)), Safe);
        SentObject inPieces = association.Send(InPieces("in ", "pieces"), Safe);
        SentObject perishable = association.Send("perishable"u8, new() { SafeToReplay = true, Lifetime = TimeSpan.FromMinutes(1) });

        var early = new HashSet<string>();
        while (early.Count < 4)
        {
            (string text, bool isEarly) = await world.NextAsync(Cancel);
            Assert.IsTrue(isEarly, $"'{text}' was not marked as early data");
            Assert.IsTrue(early.Add(text), $"'{text}' came twice");
        }

        Assert.IsFalse(association.HandshakeCompletion.IsCompleted, "the handshake cannot have been completed without an answer");
        Association served = await world.Accepted.Task;
        Assert.IsFalse(served.HandshakeCompletion.IsCompleted, "the server has not heard the end of the handshake yet");
        Assert.AreEqual(world.ServerKey, association.Peer.Key, "until the handshake is complete, the peer is the session's");
        Assert.IsFalse(world.TryNext(out _), "an object that is not safe to replay left early");
        Assert.AreEqual(SentObjectState.Queued, ordinary.State);

        world.Relay.ReleaseAnswers();
        Assert.AreEqual(("ordinary", false), await world.NextAsync(Cancel));
        foreach (SentObject sent in new[] { ordinary, safe, large, inPieces, perishable })
        {
            (await sent.Completion.WaitAsync(Cancel)).EnsureAcked();
        }

        await association.HandshakeCompletion.WaitAsync(Cancel);
        await served.HandshakeCompletion.WaitAsync(Cancel);
        Assert.IsTrue(association.IsResumed);
        Assert.AreEqual(world.ServerKey, association.Peer.Key);
        Assert.IsFalse(world.TryNext(out _));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_server_that_does_not_know_the_session_gets_all_of_it_once_after_the_handshake()
    {
        await using var world = new EarlyWorld();
        await world.ListenAsync();
        await world.MeetAsync(Cancel);
        await world.ListenAsync();

        world.Relay.HoldAnswers();
        await using Association association = await world.AssociateAsync(Cancel);
        string large = new('x', 300_000);
        SentObject[] sent =
        [
            association.Send("small"u8, Safe),
            association.Send(Encoding.UTF8.GetBytes(large), Safe),
            association.Send(InPieces(large, "in pieces"), Safe),
            association.Send("datagram"u8, new() { SafeToReplay = true, Lifetime = TimeSpan.FromMinutes(1) }),
            association.Send("ordinary"u8),
        ];
        await sent[0].WaitForAsync(SentObjectState.Sent, Cancel);
        Assert.IsFalse(association.HandshakeCompletion.IsCompleted, "the session allows early data, so it was used");
        world.Relay.ReleaseAnswers();

        foreach (SentObject one in sent)
        {
            (await one.Completion.WaitAsync(Cancel)).EnsureAcked();
        }

        var received = new List<string>();
        foreach (SentObject unused in sent)
        {
            (string text, bool isEarly) = await world.NextAsync(Cancel);
            Assert.IsFalse(isEarly, "nothing early was taken");
            received.Add(text);
        }

        CollectionAssert.AreEquivalent(new[] { "small", large, large + "in pieces", "datagram", "ordinary" }, received);
        Assert.IsFalse(world.TryNext(out _), "an object was delivered twice");
        Assert.IsFalse(association.IsResumed);
        Assert.AreEqual(world.ServerKey, association.Peer.Key);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_first_flight_that_is_replayed_delivers_nothing_again()
    {
        await using var world = new EarlyWorld();
        await world.ListenAsync();
        await world.MeetAsync(Cancel);
        world.Relay.TakeCaptured();

        // While the connection lives, every datagram comes twice; when it is over, all of them come again.
        world.Relay.Copies = 2;
        world.Relay.HoldAnswers();
        await using Association association = await world.AssociateAsync(Cancel);
        SentObject once = association.Send("once"u8, Safe);
        Assert.AreEqual(("once", true), await world.NextAsync(Cancel));
        world.Relay.ReleaseAnswers();
        (await once.Completion.WaitAsync(Cancel)).EnsureAcked();
        await association.CloseAsync(Cancel);
        await (await world.Accepted.Task).Completion.WaitAsync(Cancel);
        world.Relay.Copies = 1;

        byte[][] captured = world.Relay.TakeCaptured();
        int greetings = world.Relay.Greetings;
        while (world.Relay.Greetings == greetings)
        {
            // Until its end is forgotten (3 probe timeouts), the old connection swallows them.
            await world.Relay.SendAgainAsync(captured);
            await Task.Delay(20, Cancel);
        }

        // What is sent after it shows that the server has dealt with the replay.
        await using Association next = await world.AssociateAsync(Cancel);
        (await next.Send("afterwards"u8).Completion.WaitAsync(Cancel)).EnsureAcked();
        Assert.AreEqual(("afterwards", false), await world.NextAsync(Cancel));
        Assert.IsFalse(world.TryNext(out _), "the replayed object was delivered again");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_server_that_allows_no_early_data_gets_none()
    {
        await using var world = new EarlyWorld();
        await world.ListenAsync(new AssociationOptions());
        await world.MeetAsync(Cancel);

        await using Association association = await world.AssociateAsync(Cancel);
        Assert.IsTrue(association.HandshakeCompletion.IsCompleted, "a session that allows no early data was used for it");
        Assert.IsTrue(association.IsResumed);
        (await association.Send("safe"u8, Safe).Completion.WaitAsync(Cancel)).EnsureAcked();
        Assert.AreEqual(("safe", false), await world.NextAsync(Cancel));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_client_that_does_not_ask_for_early_data_waits_for_the_handshake()
    {
        await using var world = new EarlyWorld();
        await world.ListenAsync();
        await world.MeetAsync(Cancel);

        await using Association association = await world.AssociateAsync(Cancel, new AssociationOptions());
        Assert.IsTrue(association.HandshakeCompletion.IsCompleted);
        (await association.Send("safe"u8, Safe).Completion.WaitAsync(Cancel)).EnsureAcked();
        Assert.AreEqual(("safe", false), await world.NextAsync(Cancel));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_limit_that_the_server_lowered_meanwhile_rejects_what_is_too_large_and_nothing_else()
    {
        await using var world = new EarlyWorld();
        await world.ListenAsync();
        await world.MeetAsync(Cancel);
        await world.ListenAsync(EarlyWorld.Early with
        {
            MaxWholeObjectSize = 1_000,
            Incremental = IncrementalDelivery.Never,
            ReceiveBudget = 64_000,
            MaxInboundUnidirectionalStreams = 8,
            StreamReceiveWindow = 20_000,
            ConnectionReceiveWindow = 40_000,
        });

        await using Association association = await world.AssociateAsync(Cancel);
        SentObject tooLarge = association.Send(new byte[2_000], Safe);
        SentObject[] small = [.. Enumerable.Range(0, 100).Select(i => association.Send(Encoding.UTF8.GetBytes($"{i}"), Safe))];

        Assert.AreEqual(ObjectOutcomeReason.TooLarge, (await tooLarge.Completion.WaitAsync(Cancel)).Reason);
        foreach (SentObject one in small)
        {
            (await one.Completion.WaitAsync(Cancel)).EnsureAcked();
            await world.NextAsync(Cancel);
        }

        Assert.IsFalse(world.TryNext(out _), "an object was delivered twice");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_server_that_is_gone_ends_the_association_and_costs_the_next_one_its_early_data_only()
    {
        await using var world = new EarlyWorld();
        await world.ListenAsync();
        await world.MeetAsync(Cancel);

        world.Relay.HoldAnswers();
        await using Association association = await world.AssociateAsync(
            Cancel, EarlyWorld.Early with { HandshakeTimeout = TimeSpan.FromMilliseconds(500) });
        SentObject sent = association.Send("to nobody"u8);
        Receipt receipt = await sent.Completion.WaitAsync(Cancel);
        Assert.AreEqual(ObjectOutcome.Failed, receipt.Outcome);
        await association.Completion.WaitAsync(Cancel);
        Assert.AreEqual(PostErrorReason.Transport, association.Error?.Reason, association.Error?.Message);

        // Only now: the server's answers of before would belong to nobody.
        await world.ListenAsync();
        world.Relay.ReleaseAnswers();
        await using Association next = await world.AssociateAsync(Cancel);
        Assert.IsTrue(next.HandshakeCompletion.IsCompleted, "the sessions are forgotten, so that all addresses are tried");
        (await next.Send("hello"u8).Completion.WaitAsync(Cancel)).EnsureAcked();
    }

    private static ReadOnlySequence<byte> InPieces(string first, string second)
    {
        var head = new Piece(Encoding.UTF8.GetBytes(first), 0);
        Piece tail = head.Append(Encoding.UTF8.GetBytes(second));
        return new ReadOnlySequence<byte>(head, 0, tail, tail.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(byte[] bytes, long before)
        {
            Memory = bytes;
            RunningIndex = before;
        }

        public Piece Append(byte[] bytes)
        {
            var next = new Piece(bytes, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
