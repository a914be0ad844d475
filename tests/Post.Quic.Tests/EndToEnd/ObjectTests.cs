using Post.Quic.Tests.Links;
using Post.Sockets;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>Objects: whole, with what belongs to them, and with one end each.</summary>
[TestClass]
public sealed class ObjectTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Objects_of_every_size_arrive_whole_both_ways_and_are_acked(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);

        await Task.WhenAll(SendAllAsync(pair.Client, pair.Server), SendAllAsync(pair.Server, pair.Client));

        async Task SendAllAsync(Association from, Association to)
        {
            byte[][] objects = [.. new[] { 0, 1, 100, 1000, 1500, 20_000, 1_000_000, 5_000_000 }.Select(Bytes)];
            SentObject[] sent = [.. objects.Select(bytes => from.Send(bytes))];
            var received = new Dictionary<long, byte[]>();
            while (received.Count < objects.Length)
            {
                using ReceivedObject item = await to.ReceiveAsync(Cancel);
                received.Add(item.Id, item.ToArray());
            }

            for (int i = 0; i < objects.Length; i++)
            {
                CollectionAssert.AreEqual(objects[i], received[sent[i].Id]);
                Assert.AreEqual(ObjectOutcomeReason.Delivered, (await sent[i].Completion.WaitAsync(Cancel)).EnsureAcked().Reason);
            }
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Two_thousand_small_objects_arrive_each_once(TestEngine client, TestEngine server)
    {
        const int Count = 2000;
        await using PostPair pair = await ConnectAsync(client, server);

        SentObject[] sent = [.. Enumerable.Range(0, Count).Select(number => pair.Client.Send(BitConverter.GetBytes(number)))];
        var seen = new HashSet<int>();
        for (int i = 0; i < Count; i++)
        {
            Assert.IsTrue(seen.Add(BitConverter.ToInt32(await TakeAsync(pair.Server))), "One came twice.");
        }

        await Task.WhenAll(sent.Select(item => item.Completion)).WaitAsync(Cancel);
        Assert.IsTrue(Array.TrueForAll(sent, item => item.Receipt!.IsAcked));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Metadata_niceness_and_lifetime_come_with_an_object(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        byte[] metadata = Bytes(ObjectProperties.MaxMetadata);

        pair.Client.Send(Bytes(10), new ObjectProperties { Metadata = metadata, Niceness = 7, Lifetime = TimeSpan.FromMinutes(1) });
        using ReceivedObject dated = await pair.Server.ReceiveAsync(Cancel);
        pair.Client.Send(Bytes(10));
        using ReceivedObject plain = await pair.Server.ReceiveAsync(Cancel);

        CollectionAssert.AreEqual(metadata, dated.Metadata.ToArray());
        Assert.AreEqual(7, dated.Niceness);
        Assert.IsGreaterThan(TimeSpan.FromSeconds(30), dated.RemainingLifetime);
        Assert.IsLessThanOrEqualTo(TimeSpan.FromMinutes(1), dated.RemainingLifetime);
        Assert.AreEqual(0, plain.Metadata.Length);
        Assert.AreEqual(ObjectProperties.DefaultNiceness, plain.Niceness);
        Assert.AreEqual(Timeout.InfiniteTimeSpan, plain.RemainingLifetime);
        Assert.IsFalse(plain.IsEarlyData);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_receipt_after_processing_waits_for_the_application(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(
            client, server, new PairSetup { ServerOptions = new AssociationOptions { ReceiptLevel = ReceiptLevel.Processed } });
        SentObject done = pair.Client.Send(Bytes(100));
        SentObject refused = pair.Client.Send(Bytes(100));
        SentObject dropped = pair.Client.Send(Bytes(100));
        var items = new Dictionary<long, ReceivedObject>();
        while (items.Count < 3)
        {
            ReceivedObject item = await pair.Server.ReceiveAsync(Cancel);
            items.Add(item.Id, item);
        }

        // A receipt could have come home since: it goes the way of the answer.
        pair.Server.Send(Bytes(1));
        await TakeAsync(pair.Client);
        Assert.IsNull(done.Receipt);

        items[done.Id].MarkProcessed();
        items[refused.Id].Reject();
        foreach (ReceivedObject item in items.Values)
        {
            item.Dispose();
        }

        Assert.AreEqual(ObjectOutcomeReason.Processed, (await done.Completion.WaitAsync(Cancel)).EnsureAcked().Reason);
        Assert.AreEqual("Rejected (Refused)", (await refused.Completion.WaitAsync(Cancel)).ToString());
        Assert.AreEqual("Rejected (Refused)", (await dropped.Completion.WaitAsync(Cancel)).ToString());
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task An_object_larger_than_the_receiver_takes_is_rejected(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(
            client, server, new PairSetup { ServerOptions = new AssociationOptions { MaxWholeObjectSize = 100_000 } });

        SentObject large = pair.Client.Send(Bytes(100_001));
        SentObject fits = pair.Client.Send(Bytes(100_000));

        Assert.HasCount(100_000, await TakeAsync(pair.Server));
        Assert.AreEqual("Rejected (TooLarge)", (await large.Completion.WaitAsync(Cancel)).ToString());
        (await fits.Completion.WaitAsync(Cancel)).EnsureAcked();
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_canceled_object_is_cut_off_and_never_delivered(TestEngine client, TestEngine server)
    {
        const int Size = 8_000_000;
        await using PostPair pair = await ConnectAsync(
            client, server, new PairSetup { Link = new LinkShape { BitsPerSecond = 8_000_000 } });
        SentObject canceled = pair.Client.Send(Bytes(Size));
        await UntilAsync(() => canceled.BytesSent > 0);

        Assert.IsTrue(canceled.Cancel());
        Assert.IsFalse(canceled.Cancel());
        Assert.AreEqual(ObjectOutcome.Canceled, (await canceled.Completion.WaitAsync(Cancel)).Outcome);
        SentObject next = pair.Client.Send(Bytes(10));

        using ReceivedObject item = await pair.Server.ReceiveAsync(Cancel);
        Assert.AreEqual(next.Id, item.Id);
        Assert.IsLessThan(Size / 2, pair.Relay!.Up.ForwardedBytes, "It went on after it was canceled.");
        await UntilAsync(() => pair.Server.HeldBytes <= item.Payload.Length + 1000);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_large_object_is_read_while_it_is_written(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(
            client, server, new PairSetup { ServerOptions = new AssociationOptions { Incremental = IncrementalDelivery.WhenLarge } });
        byte[] bytes = Bytes(3_000_000);
        ObjectWriter writer = pair.Client.Compose();
        await writer.WriteAsync(bytes.AsMemory(0, 100_000), Cancel);

        using ReceivedObject item = await pair.Server.ReceiveAsync(Cancel);
        byte[] received = new byte[bytes.Length];
        await using Stream incoming = item.AsStream();
        await incoming.ReadExactlyAsync(received.AsMemory(0, 100_000), Cancel);
        Assert.IsTrue(item.IsIncremental);
        Assert.IsNull(item.Length);
        Assert.IsNull(writer.Object.Receipt, "It has an end before it was written.");

        Task writing = WriteRestAsync();
        await incoming.ReadExactlyAsync(received.AsMemory(100_000), Cancel);
        Assert.AreEqual(0, await incoming.ReadAsync(new byte[1], Cancel));
        await writing;

        CollectionAssert.AreEqual(bytes, received);
        (await writer.Object.Completion.WaitAsync(Cancel)).EnsureAcked();

        async Task WriteRestAsync()
        {
            await writer.WriteAsync(bytes.AsMemory(100_000), Cancel);
            await writer.CompleteAsync();
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_file_is_one_object_read_while_it_is_sent(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        byte[] bytes = Bytes(2_000_000);

        SentObject sent = pair.Client.Send(new MemoryStream(bytes));

        CollectionAssert.AreEqual(bytes, await TakeAsync(pair.Server));
        (await sent.Completion.WaitAsync(Cancel)).EnsureAcked();
        Assert.AreEqual(bytes.Length, sent.BytesSent);
    }
}
