using Post.Quic.Tests.Links;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>Who comes before whom: antecedents and niceness.</summary>
[TestClass]
public sealed class OrderTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Antecedents_come_first_however_urgent_their_dependents_are(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);

        // A diamond: two large ones in the middle that may come in any order.
        SentObject top = pair.Client.Send(Bytes(1_000_000));
        SentObject left = pair.Client.Send(Bytes(300_000), new ObjectProperties { Antecedents = [top] });
        SentObject right = pair.Client.Send(Bytes(10), new ObjectProperties { Antecedents = [top], Niceness = 50 });
        SentObject bottom = pair.Client.Send(Bytes(1), new ObjectProperties { Antecedents = [left, right], Niceness = 0 });
        List<long> order = await IdsAsync(pair.Server, 4);

        Assert.AreEqual(top.Id, order[0]);
        Assert.AreEqual(bottom.Id, order[3]);
        foreach (SentObject item in (SentObject[])[top, left, right, bottom])
        {
            (await item.Completion.WaitAsync(Cancel)).EnsureAcked();
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task What_requires_an_expired_object_expires_too_and_what_only_follows_it_comes(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(
            client, server, new PairSetup { Link = new LinkShape { BitsPerSecond = 8_000_000 } });

        // A megabyte takes a second on this link.
        SentObject dead = pair.Client.Send(Bytes(2_000_000), new ObjectProperties { Lifetime = TimeSpan.FromMilliseconds(300) });
        SentObject child = pair.Client.Send(Bytes(10), new ObjectProperties { Antecedents = [dead] });
        SentObject grandchild = pair.Client.Send(Bytes(10), new ObjectProperties { Antecedents = [child] });
        SentObject follower = pair.Client.Send(
            Bytes(10), new ObjectProperties { Antecedents = [dead], AntecedentPolicy = AntecedentPolicy.Order });

        List<long> order = await IdsAsync(pair.Server, 1);

        Assert.AreEqual(follower.Id, order[0]);
        Assert.AreEqual(ObjectOutcome.Expired, (await dead.Completion.WaitAsync(Cancel)).Outcome);
        Assert.AreEqual("Expired (AntecedentExpired)", (await child.Completion.WaitAsync(Cancel)).ToString());
        Assert.AreEqual("Expired (AntecedentExpired)", (await grandchild.Completion.WaitAsync(Cancel)).ToString());
        (await follower.Completion.WaitAsync(Cancel)).EnsureAcked();
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task An_urgent_object_overtakes_what_was_sent_before_it(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(
            client, server, new PairSetup { Link = new LinkShape { BitsPerSecond = 16_000_000 } });
        SentObject bulk = pair.Client.Send(Bytes(4_000_000), new ObjectProperties { Niceness = 200 });
        await UntilAsync(() => pair.Relay!.Up.ForwardedBytes > 200_000);

        // The link is busy for two seconds. Some of the bulk is with the transport already, most of it is not.
        SentObject ordinary = pair.Client.Send(Bytes(20_000));
        SentObject urgent = pair.Client.Send(Bytes(20_000), new ObjectProperties { Niceness = 0 });

        List<long> order = await IdsAsync(pair.Server, 3);
        if (pair.Client.Capabilities.HasFlag(TransportCapabilities.Priorities))
        {
            Assert.AreEqual(bulk.Id, order[2]);
        }

        // Without priorities, System.Net.Quic buffers what it takes and sends a stream that is under way to its end.
        CollectionAssert.AreEquivalent((long[])[urgent.Id, ordinary.Id, bulk.Id], order);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task What_waits_at_the_receiver_is_taken_by_urgency(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        int[] niceness = [200, 3, 150, 0, 100];
        foreach (int one in niceness)
        {
            pair.Client.Send(Bytes(100), new ObjectProperties { Niceness = one });
        }

        // All of them lie there before the first is taken: the least urgent was sent first. Bytes are held from when they come, and
        // the last of them may not make an object yet.
        await UntilAsync(() => pair.Server.HeldBytes >= niceness.Length * 100);
        await UntilQuietAsync(() => pair.Server.HeldBytes);
        var taken = new List<int>();
        for (int i = 0; i < niceness.Length; i++)
        {
            using ReceivedObject item = await pair.Server.ReceiveAsync(Cancel);
            taken.Add(item.Niceness);
        }

        CollectionAssert.AreEqual(niceness.Order().ToList(), taken);
    }

    private async Task<List<long>> IdsAsync(Association association, int count)
    {
        var order = new List<long>();
        while (order.Count < count)
        {
            using ReceivedObject item = await association.ReceiveAsync(Cancel);
            order.Add(item.Id);
        }

        return order;
    }
}
