using Post.Quic.Tests.Links;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>Lifetimes, and objects that travel as datagrams.</summary>
[TestClass]
public sealed class LifetimeTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task What_can_arrive_in_time_does_and_what_cannot_expires_and_is_never_delivered(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(
            client, server, new PairSetup { Link = new LinkShape { BitsPerSecond = 8_000_000 } });

        // Two megabytes need two seconds here.
        SentObject hopeless = pair.Client.Send(Bytes(2_000_000), new ObjectProperties { Lifetime = TimeSpan.FromMilliseconds(500) });
        SentObject patient = pair.Client.Send(Bytes(200_000), new ObjectProperties { Lifetime = TimeSpan.FromSeconds(30) });
        SentObject eternal = pair.Client.Send(Bytes(200_000));
        var received = new List<long>();
        while (received.Count < 2)
        {
            using ReceivedObject item = await pair.Server.ReceiveAsync(Cancel);
            received.Add(item.Id);
        }

        Receipt end = await hopeless.Completion.WaitAsync(Cancel);
        Assert.AreEqual(ObjectOutcome.Expired, end.Outcome);
        CollectionAssert.AreEquivalent((long[])[patient.Id, eternal.Id], received);
        (await patient.Completion.WaitAsync(Cancel)).EnsureAcked();
        (await eternal.Completion.WaitAsync(Cancel)).EnsureAcked();
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Small_objects_with_a_lifetime_survive_loss_while_they_live(TestEngine client, TestEngine server)
    {
        const int Count = 300;
        await using PostPair pair = await ConnectAsync(client, server, new PairSetup { Link = new LinkShape { Loss = 0.1 } });
        var received = new HashSet<long>();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task taking = TakeAllAsync(pair.Server, received, enough.Token);

        SentObject[] sent =
        [
            .. Enumerable.Range(0, Count).Select(_ => pair.Client.Send(
                Bytes(200), new ObjectProperties { Lifetime = TimeSpan.FromSeconds(20) })),
        ];
        Receipt[] ends = await Task.WhenAll(sent.Select(item => item.Completion)).WaitAsync(Cancel);
        await enough.CancelAsync();
        await taking;

        // Loopback takes a fraction of a millisecond, so twenty seconds are time enough for everyone.
        Assert.AreEqual(Count, ends.Count(end => end.IsAcked));
        Assert.HasCount(Count, received);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task What_is_sent_once_is_lost_with_its_datagram_and_never_lost_as_a_stream(TestEngine client, TestEngine server)
    {
        const int Count = 400;
        await using PostPair pair = await ConnectAsync(client, server, new PairSetup { Link = new LinkShape { Loss = 0.2 } });
        var received = new HashSet<long>();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task taking = TakeAllAsync(pair.Server, received, enough.Token);
        await pair.Client.Send(Bytes(1)).Completion.WaitAsync(Cancel);
        bool asDatagrams = pair.Client.Capabilities.HasFlag(TransportCapabilities.Datagrams);

        SentObject[] sent =
        [
            .. Enumerable.Range(0, Count).Select(_ => pair.Client.Send(
                Bytes(1000), new ObjectProperties { Retransmit = false, Lifetime = TimeSpan.FromSeconds(20) })),
        ];
        Receipt[] ends = await Task.WhenAll(sent.Select(item => item.Completion)).WaitAsync(Cancel);
        await enough.CancelAsync();
        await taking;

        int acked = ends.Count(end => end.IsAcked);
        if (asDatagrams)
        {
            Assert.IsTrue(acked is > Count / 2 and < Count * 19 / 20, $"{acked} of {Count} were acked where a fifth is lost.");
            Assert.IsTrue(ends.All(end => end.IsAcked || end.ToString() == "Expired (InFlight)"));
        }
        else
        {
            Assert.AreEqual(Count, acked, "A stream is reliable.");
        }

        Assert.IsTrue(ends.All(end => !end.IsAcked || received.Contains(end.Object.Id)), "One was acked and not delivered.");
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task An_object_too_large_for_a_datagram_travels_as_a_stream_and_nobody_need_know(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        int[] sizes = [.. Enumerable.Range(0, 40).Select(step => 1000 + (step * 20)), 65_535, 65_536];

        foreach (int size in sizes)
        {
            byte[] bytes = Bytes(size);
            SentObject sent = pair.Client.Send(bytes, new ObjectProperties { Lifetime = TimeSpan.FromSeconds(30) });
            CollectionAssert.AreEqual(bytes, await TakeAsync(pair.Server));
            (await sent.Completion.WaitAsync(Cancel)).EnsureAcked();
        }
    }

    private static async Task TakeAllAsync(Association association, HashSet<long> ids, CancellationToken enough)
    {
        try
        {
            await foreach (ReceivedObject item in association.ReceiveAllAsync(enough))
            {
                using (item)
                {
                    Assert.IsTrue(ids.Add(item.Id), $"Object {item.Id} was delivered twice.");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // All have their ends.
        }
    }
}
