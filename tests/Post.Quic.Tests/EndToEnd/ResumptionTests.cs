using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>An association outlives the QUIC connections that carry it, whatever engines are at its ends.</summary>
[TestClass]
public sealed class ResumptionTests : EndToEndTests
{
    private const int LongTimeoutMilliseconds = 120_000;

    private static readonly AssociationOptions Options = new()
    {
        IdleTimeout = TimeSpan.FromSeconds(1),
        KeepAliveInterval = TimeSpan.FromMilliseconds(200),
        Incremental = IncrementalDelivery.WhenLarge,
        MaxWholeObjectSize = 1024 * 1024,
    };

    [TestMethod]
    [Timeout(LongTimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Objects_go_on_over_another_connection_each_delivered_once(TestEngine client, TestEngine server)
    {
        const int Rounds = 2;
        await using PostPair pair = await PostPair.ListenAsync(
            client,
            server,
            new PairSetup
            {
                ClientOptions = Options,
                ServerOptions = Options,
                Client = Local.Anonymous with { Sessions = new MemorySessionCache() },
                IsCuttable = true,
            },
            Cancel);
        var got = new ConcurrentDictionary<long, byte[]>();
        int twice = 0;
        Association? accepted = null;
        pair.Listener.Register<Accept>(accept =>
        {
            accepted = accept.Association;
            accepted.Register<Received>(async received =>
            {
                using var all = new MemoryStream();
                await received.Object.AsStream().CopyToAsync(all);
                twice += got.TryAdd(received.Object.Id, SHA256.HashData(all.ToArray())) ? 0 : 1;
            });
        });
        await using Association association = await pair.AssociateOneSidedAsync(Cancel);
        var changes = new ConcurrentQueue<bool>();
        association.Register<ConnectionChanged>(changed => changes.Enqueue(changed.IsConnected));
        (await association.Send("first"u8).Completion.WaitAsync(Cancel)).EnsureAcked();

        byte[] large = Bytes(40_000_000);
        for (int round = 0; round < Rounds; round++)
        {
            var sent = new List<SentObject> { association.Send(large), association.Send(new MemoryStream(large, 0, 3_000_000)) };
            sent.AddRange(Enumerable.Range(0, 100).Select(i => association.Send(new byte[i * 10], new() { Niceness = i % 3 })));
            await UntilAsync(() => !got.IsEmpty);
            pair.Cut!.IsUp = false;
            await UntilAsync(() => association.IsInterrupted);

            Assert.IsEmpty(association.Paths);
            pair.Cut.IsUp = true;
            foreach (SentObject item in sent)
            {
                (await item.Completion.WaitAsync(Cancel)).EnsureAcked();
            }

            // Delivered is not yet dealt with: the handler takes the last bytes, and then hashes them.
            await UntilAsync(() => sent.TrueForAll(item => got.ContainsKey(item.Id)));
            CollectionAssert.AreEqual(SHA256.HashData(large), got[sent[0].Id]);
            CollectionAssert.AreEqual(SHA256.HashData(large.AsSpan(0, 3_000_000)), got[sent[1].Id]);
        }

        Assert.AreEqual(0, twice, "delivered twice");
        Assert.HasCount(1 + (Rounds * 102), got);
        CollectionAssert.AreEqual(new[] { false, true, false, true }, changes.ToArray());
        Assert.AreEqual(
            association.Capabilities.HasFlag(TransportCapabilities.Resumption), association.IsResumed, "The session cache makes it quick.");
        Assert.AreEqual(1, pair.Listener.AssociationCount);
        await association.CloseAsync(Cancel);
        await accepted!.Completion.WaitAsync(Cancel);
        Assert.IsNull(accepted.Error);
    }

    [TestMethod]
    [Timeout(LongTimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing(false)]
    [EachPairing(true)]
    public async Task An_unfinished_object_goes_on_from_what_has_arrived(TestEngine client, TestEngine server, bool whole)
    {
        const int Length = 40_000_000;
        await using PostPair pair = await PostPair.ListenAsync(
            client,
            server,
            new PairSetup
            {
                ClientOptions = Options,
                ServerOptions = Options with { MaxWholeObjectSize = whole ? Length : 1024 * 1024, ReceiveBudget = 4L * Length },
                IsCuttable = true,
            },
            Cancel);
        var got = new List<byte[]>();
        Association? accepted = null;
        long read = 0;
        pair.Listener.Register<Accept>(accept =>
        {
            accepted = accept.Association;
            accepted.Register<Received>(async received =>
            {
                using var all = new MemoryStream();
                var buffer = new byte[64 * 1024];
                var stream = received.Object.AsStream();
                for (int count; (count = await stream.ReadAsync(buffer)) > 0;)
                {
                    all.Write(buffer, 0, count);
                    Interlocked.Exchange(ref read, all.Length);
                }

                got.Add(SHA256.HashData(all.ToArray()));
            });
        });
        await using Association association = await pair.AssociateOneSidedAsync(Cancel);
        byte[] bytes = Bytes(Length);
        var before = pair.Cut!.BytesToServer;
        SentObject sent = association.Send(bytes);
        await UntilAsync(() => (whole ? accepted?.HeldBytes ?? 0 : Interlocked.Read(ref read)) > Length / 5 * 4);
        pair.Cut.IsUp = false;
        await UntilAsync(() => association.IsInterrupted && accepted!.IsInterrupted);
        Assert.IsFalse(sent.Completion.IsCompleted, "cut too late to show anything");
        pair.Cut.IsUp = true;
        (await sent.Completion.WaitAsync(Cancel)).EnsureAcked();
        var moved = pair.Cut.BytesToServer - before;
        Assert.IsLessThan(Length * 1.3, (double)moved, $"{moved} bytes moved for {Length}; from the beginning it would be {1.8 * Length}");
        await UntilAsync(() => got.Count > 0);
        CollectionAssert.AreEqual(SHA256.HashData(bytes), got.Single());
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_listener_that_was_restarted_is_a_clear_error(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await PostPair.ListenAsync(
            client, server, new PairSetup { ClientOptions = Options, ServerOptions = Options, IsCuttable = true }, Cancel);
        pair.Listener.Register<Accept>(accept => accept.Association.Register<Received>(_ => { }));
        await using Association association = await pair.AssociateOneSidedAsync(Cancel);

        // Lost before both have said HELLO, it would begin anew, and nobody would miss anything.
        (await association.Send("first"u8).Completion.WaitAsync(Cancel)).EnsureAcked();

        // It goes without a word, as a process does that is killed.
        pair.Cut!.IsUp = false;
        await pair.RestartListenerAsync(Cancel);
        SentObject sent = association.Send("what became of this?"u8);
        pair.Cut.IsUp = true;

        await association.Completion.WaitAsync(Cancel);
        Assert.AreEqual(PostErrorReason.AssociationLost, association.Error!.Reason);
        Assert.AreEqual(PostErrorReason.AssociationLost, (await sent.Completion).Error!.Reason);
        Assert.AreEqual(0, pair.Listener.AssociationCount);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(true)]
    [DataRow(false)]
    public async Task A_server_that_was_killed_and_started_again_is_noticed_at_the_next_packet(bool isSending)
    {
        AssociationOptions keepsAlive = new AssociationOptions { KeepAliveInterval = TimeSpan.FromMilliseconds(500) };
        await using PostPair pair = await PostPair.ListenAsync(
            TestEngine.Managed,
            TestEngine.Managed,
            new PairSetup { ClientOptions = isSending ? new AssociationOptions() : keepsAlive, IsCuttable = true },
            Cancel);

        // A port of its own, as a server has one: the system's choice of the first start is the configuration of the second.
        await pair.RestartListenerAsync(Cancel, onSamePort: true);
        pair.Listener.Register<Accept>(accept => accept.Association.Register<Received>(_ => { }));
        await using Association association = await pair.AssociateOneSidedAsync(Cancel);
        (await association.Send("first"u8).Completion.WaitAsync(Cancel)).EnsureAcked();

        pair.Cut!.IsUp = false;
        await pair.RestartListenerAsync(Cancel, onSamePort: true);
        pair.Cut.IsUp = true;
        long start = Stopwatch.GetTimestamp();
        SentObject? sent = isSending ? association.Send("what became of this?"u8) : null;

        // Ten seconds on a machine under load, of what is a round trip; the idle timeout is three times that.
        await association.Completion.WaitAsync(Cancel);
        Assert.IsLessThan(TimeSpan.FromSeconds(10), Stopwatch.GetElapsedTime(start));
        Assert.AreEqual(PostErrorReason.AssociationLost, association.Error!.Reason);
        if (sent is not null)
        {
            Assert.AreEqual(PostErrorReason.AssociationLost, (await sent.Completion).Error!.Reason);
        }
    }
}
