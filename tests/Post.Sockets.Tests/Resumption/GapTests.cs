using System.Net;
using System.Security.Cryptography;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Resumption;

/// <summary>What an association does while its connection is lost, and when another one is there.</summary>
[TestClass]
public sealed class GapTests
{
    [TestMethod]
    [DataRow(TransportErrorReason.TimedOut)]
    [DataRow(TransportErrorReason.ConnectionReset)]
    [DataRow(TransportErrorReason.Unreachable)]
    [DataRow(TransportErrorReason.GaveUp)]
    [DataRow(TransportErrorReason.Other)]
    public void Objects_in_both_directions_outlive_a_lost_connection(TransportErrorReason reason) => new PostWorld(link: PostWorld.Link(2_000_000, 20)).Run(async world =>
    {
        var got = new List<long>();
        var back = new List<long>();
        world.Server.Register<Received>(r => got.Add(r.Object.Id));
        world.Client.Register<Received>(r => back.Add(r.Object.Id));
        var sent = Enumerable.Range(0, 20).Select(_ => world.Client.Send(new byte[20_000])).ToArray();
        var answers = Enumerable.Range(0, 20).Select(_ => world.Server.Send(new byte[20_000])).ToArray();
        await world.DelayAsync(300);
        Assert.IsLessThan(20, got.Count);
        world.Wire.Break(reason);
        foreach (var item in sent.Concat(answers))
        {
            Assert.AreEqual(ObjectOutcome.Acked, (await item.Completion).Outcome);
        }

        CollectionAssert.AllItemsAreUnique(got);
        CollectionAssert.AllItemsAreUnique(back);
        Assert.HasCount(20, got);
        Assert.HasCount(20, back);
        Assert.IsNull(world.Client.Error);
    });

    [TestMethod]
    public void The_application_sees_the_interruption_and_the_resumption() => new PostWorld(link: PostWorld.Link(delay: 20)).Run(async world =>
    {
        var log = new List<string>();
        foreach (var (name, side) in new[] { ("client", world.Client), ("server", world.Server) })
        {
            side.Register<ConnectionChanged>(c => log.Add($"{name} {(c.IsConnected ? "resumed" : "interrupted")}"));
            side.Register<PathsChanged>(p => log.Add($"{name} {p.Change} {p.Paths.Count}"));
        }

        var peer = world.Client.Peer;
        var capabilities = world.Client.Capabilities;
        world.Network.IsUp = false;
        world.Wire.Break(TransportErrorReason.TimedOut);
        await world.DelayAsync(10);
        Assert.IsTrue(world.Client.IsInterrupted);
        Assert.IsTrue(world.Server.IsInterrupted);
        Assert.IsEmpty(world.Client.Paths);
        Assert.IsNull(world.Client.Statistics.SmoothedRtt);
        Assert.AreEqual(peer, world.Client.Peer);
        Assert.AreEqual(capabilities, world.Client.Capabilities);
        Assert.IsNotNull(world.Client.RemoteEndPoint);
        var error = await Assert.ThrowsExactlyAsync<PostException>(() => world.Client.MigrateAsync().AsTask());
        Assert.AreEqual(PostErrorReason.ConnectionLost, error.Reason);
        world.Network.IsUp = true;
        world.Server.Register<Received>(_ => { });
        await world.Client.Send("x"u8).Completion;
        Assert.IsFalse(world.Client.IsInterrupted);
        Assert.IsNotEmpty(world.Client.Paths);
        CollectionAssert.AreEquivalent(
            new[] { "client Removed 0", "client interrupted", "client Added 1", "client resumed", "server Removed 0", "server interrupted", "server Added 1", "server resumed" },
            log);
    });

    [TestMethod]
    public void Lifetimes_run_on_while_there_is_no_connection() => new PostWorld(link: PostWorld.Link(delay: 20)).Run(async world =>
    {
        world.Server.Register<Received>(_ => Assert.Fail("too late"));
        world.Network.IsUp = false;
        world.Wire.Break();
        await world.DelayAsync(10);
        var start = world.Network.Clock.Elapsed;
        var sent = world.Client.Send("x"u8, new() { Lifetime = TimeSpan.FromSeconds(2) });
        var dependent = world.Client.Send("y"u8, new() { Antecedents = [sent] });
        Assert.AreEqual(ObjectOutcomeReason.BeforeSent, (await sent.Completion).Reason);
        Assert.AreEqual(2, (world.Network.Clock.Elapsed - start).TotalSeconds, 0.1);
        Assert.AreEqual(ObjectOutcomeReason.AntecedentExpired, (await dependent.Completion).Reason);
        world.Network.IsUp = true;
        await world.DelayAsync(20_000);
        Assert.IsFalse(world.Client.IsInterrupted);
    });

    [TestMethod]
    public void What_the_receiver_holds_expires_in_the_gap_and_is_receipted_after_it() => new PostWorld(link: PostWorld.Link(delay: 20)).Run(async world =>
    {
        // Nobody takes it at the server.
        var sent = world.Client.Send("x"u8, new() { Lifetime = TimeSpan.FromSeconds(3), Retransmit = true });
        await world.DelayAsync(100);
        Assert.IsGreaterThan(0, world.Server.HeldBytes);
        world.Network.IsUp = false;
        world.Wire.Break();
        await world.DelayAsync(3500);
        var receiving = world.Server.ReceiveAsync().AsTask();
        await world.DelayAsync(10);
        Assert.IsFalse(receiving.IsCompleted);
        Assert.AreEqual(0, world.Server.HeldBytes);
        world.Network.IsUp = true;
        Assert.AreEqual(ObjectOutcome.Expired, (await sent.Completion).Outcome);
    });

    [TestMethod]
    public void A_receipt_that_was_lost_is_given_again_and_nothing_is_delivered_twice() => new PostWorld(link: PostWorld.Link(delay: 50)).Run(async world =>
    {
        var got = 0;
        world.Server.Register<Received>(_ =>
        {
            got++;

            // The receipt is on its way for 50 ms: it never arrives.
            world.Wire.Break(TransportErrorReason.TimedOut);
        });
        var sent = world.Client.Send(new byte[1000]);
        Assert.AreEqual(ObjectOutcomeReason.Delivered, (await sent.Completion).Reason);
        await world.DelayAsync(1000);
        Assert.AreEqual(1, got);
        Assert.IsFalse(world.Client.IsInterrupted);
    });

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void An_object_that_is_processed_in_the_gap_gets_its_receipt_after_it(bool reject) => new PostWorld(link: PostWorld.Link(delay: 20))
    {
        ServerOptions = new() { ReceiptLevel = ReceiptLevel.Processed },
    }.Run(async world =>
    {
        var sent = world.Client.Send("x"u8);
        using var received = await world.Server.ReceiveAsync();
        world.Network.IsUp = false;
        world.Wire.Break();
        await world.DelayAsync(100);
        if (reject)
        {
            received.Reject();
        }
        else
        {
            received.MarkProcessed();
        }

        world.Network.IsUp = true;
        Assert.AreEqual(reject ? ObjectOutcomeReason.Refused : ObjectOutcomeReason.Processed, (await sent.Completion).Reason);
    });

    [TestMethod]
    public void Canceled_objects_are_abandoned_on_the_next_connection() => new PostWorld(link: PostWorld.Link(1_000_000, 20)).Run(async world =>
    {
        var got = new List<long>();
        world.Server.Register<Received>(r => got.Add(r.Object.Id));
        var large = world.Client.Send(new byte[100_000]);
        var dependent = world.Client.Send("x"u8, new() { Antecedents = [large], AntecedentPolicy = AntecedentPolicy.Order });
        await world.DelayAsync(2000);
        Assert.HasCount(2, got);
        got.Clear();
        large = world.Client.Send(new byte[100_000]);
        var behind = world.Client.Send("x"u8, new() { Antecedents = [large], AntecedentPolicy = AntecedentPolicy.Order });
        await world.DelayAsync(600);
        world.Network.IsUp = false;
        world.Wire.Break();
        await world.DelayAsync(100);
        large.Cancel();
        Assert.AreEqual(ObjectOutcome.Canceled, (await large.Completion).Outcome);
        world.Network.IsUp = true;
        Assert.AreEqual(ObjectOutcome.Acked, (await behind.Completion).Outcome);
        CollectionAssert.AreEqual(new[] { behind.Id }, got);
    });

    [TestMethod]
    public void An_incremental_object_goes_on_where_it_was() => new PostWorld(link: PostWorld.Link(2_000_000, 20))
    {
        ServerOptions = new() { Incremental = IncrementalDelivery.Always },
    }.Run(async world =>
    {
        var bytes = PostWorld.Bytes(600_000);
        var sent = world.Client.Send(bytes);
        var fromStream = world.Client.Send(new MemoryStream(bytes));
        var reading = new List<Task<byte[]>>();
        for (var i = 0; i < 2; i++)
        {
            reading.Add(ReadAsync(await world.Server.ReceiveAsync(), world));
        }

        for (var i = 0; i < 3; i++)
        {
            await world.DelayAsync(900);
            world.Wire.Break(TransportErrorReason.TimedOut);
        }

        foreach (var read in reading)
        {
            CollectionAssert.AreEqual(SHA256.HashData(bytes), SHA256.HashData(await read));
        }

        Assert.AreEqual(ObjectOutcome.Acked, (await sent.Completion).Outcome);
        Assert.AreEqual(ObjectOutcome.Acked, (await fromStream.Completion).Outcome);
    });

    [TestMethod]
    public void What_can_be_read_only_once_fails_with_its_connection_and_says_why() => new PostWorld(link: PostWorld.Link(1_000_000, 20)).Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        var begun = world.Client.Compose();
        await begun.WriteAsync(new byte[50_000]);
        var notBegun = world.Client.Compose();
        await world.DelayAsync(300);
        world.Wire.Break();
        var receipt = await begun.Object.Completion;
        Assert.AreEqual(ObjectOutcome.Failed, receipt.Outcome);
        Assert.AreEqual(ObjectOutcomeReason.ConnectionLost, receipt.Reason);
        Assert.AreEqual(PostErrorReason.ConnectionLost, receipt.Error!.Reason);
        await notBegun.WriteAsync(new byte[10]);
        await notBegun.CompleteAsync();
        Assert.AreEqual(ObjectOutcome.Acked, (await notBegun.Object.Completion).Outcome);
    });

    [TestMethod]
    public void A_stream_ends_with_its_connection_and_another_one_can_be_opened() => new PostWorld(link: PostWorld.Link(delay: 20)).Run(async world =>
    {
        await using var stream = await world.Client.OpenStreamAsync();
        var reading = stream.ReadAsync(new byte[10]).AsTask();
        await using var accepted = await world.Server.AcceptStreamAsync();
        var reading2 = accepted.ReadAsync(new byte[10]).AsTask();
        world.Network.IsUp = false;
        world.Wire.Break();
        Assert.AreEqual(PostErrorReason.ConnectionLost, (await Assert.ThrowsExactlyAsync<PostException>(() => reading)).Reason);
        Assert.AreEqual(PostErrorReason.ConnectionLost, (await Assert.ThrowsExactlyAsync<PostException>(() => reading2)).Reason);
        var error = await Assert.ThrowsExactlyAsync<PostException>(() => stream.WriteAsync(new byte[10]).AsTask());
        Assert.AreEqual(PostErrorReason.ConnectionLost, error.Reason);
        var opening = world.Client.OpenStreamAsync().AsTask();
        await world.DelayAsync(1000);
        Assert.IsFalse(opening.IsCompleted, "it waits for the next connection");
        world.Network.IsUp = true;
        await using var next = await opening;
        await next.WriteAsync(new byte[10]);
        await using var theirs = await world.Server.AcceptStreamAsync();
        Assert.AreEqual(10, await theirs.ReadAsync(new byte[10]));
    });

    [TestMethod]
    public void Back_pressure_holds_while_there_is_no_connection() => new PostWorld(link: PostWorld.Link(delay: 20))
    {
        ClientOptions = new() { MaxQueuedObjects = 5 },
    }.Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        world.Network.IsUp = false;
        world.Wire.Break();
        await world.DelayAsync(10);
        for (var i = 0; i < 5; i++)
        {
            world.Client.Send("x"u8);
        }

        Assert.AreEqual(PostErrorReason.QueueFull, Assert.ThrowsExactly<PostException>(() => world.Client.Send("x"u8)).Reason);
        var waiting = world.Client.SendAsync(new byte[1]).AsTask();
        await world.DelayAsync(1000);
        Assert.IsFalse(waiting.IsCompleted);
        world.Network.IsUp = true;
        Assert.AreEqual(ObjectOutcome.Acked, (await (await waiting).Completion).Outcome);
    });

    [TestMethod]
    public void A_receiver_that_was_full_takes_the_rest_after_the_gap() => new PostWorld(link: PostWorld.Link(delay: 20))
    {
        ServerOptions = new() { ReceiveBudget = 100_000, MaxWholeObjectSize = 20_000 },
    }.Run(async world =>
    {
        var sent = Enumerable.Range(0, 40).Select(_ => world.Client.Send(new byte[10_000])).ToArray();
        await world.DelayAsync(500);
        Assert.IsGreaterThan(40_000, world.Server.HeldBytes);
        for (var i = 0; i < 3; i++)
        {
            world.Wire.Break();
            await world.DelayAsync(1000);
            Assert.IsFalse(world.Client.IsInterrupted);
            Assert.IsLessThanOrEqualTo(100_000, world.Server.HeldBytes);
        }

        var got = new HashSet<long>();
        world.Server.Register<Received>(r => Assert.IsTrue(got.Add(r.Object.Id)));
        foreach (var item in sent)
        {
            (await item.Completion).EnsureAcked();
        }

        Assert.HasCount(40, got);
    });

    [TestMethod]
    public void Close_waits_for_the_next_connection_and_drains_over_it() => new PostWorld(link: PostWorld.Link(delay: 20)).Run(async world =>
    {
        var got = 0;
        world.Server.Register<Received>(_ => got++);
        world.Network.IsUp = false;
        world.Wire.Break();
        await world.DelayAsync(10);
        var sent = world.Client.Send("x"u8);
        var closing = world.Client.CloseAsync();
        await world.DelayAsync(3000);
        Assert.IsFalse(closing.IsCompleted);
        Assert.ThrowsExactly<PostException>(() => world.Client.Send("y"u8));
        world.Network.IsUp = true;
        await closing;
        Assert.AreEqual(ObjectOutcome.Acked, (await sent.Completion).Outcome);
        Assert.AreEqual(1, got);
        Assert.IsNull(world.Client.Error);
        await world.Server.Completion;
        Assert.IsNull(world.Server.Error);
    });

    [TestMethod]
    public void Close_without_anything_pending_does_not_wait_for_a_connection() => new PostWorld(link: PostWorld.Link(delay: 20)).Run(async world =>
    {
        world.Network.IsUp = false;
        world.Wire.Break();
        await world.DelayAsync(10);
        var start = world.Network.Clock.Elapsed;
        await world.Client.CloseAsync();
        Assert.AreEqual(0, (world.Network.Clock.Elapsed - start).TotalSeconds, 0.2);
    });

    [TestMethod]
    public void Close_gives_up_after_its_timeout_when_no_connection_comes() => new PostWorld(link: PostWorld.Link(delay: 20))
    {
        ClientOptions = new() { DrainTimeout = TimeSpan.FromSeconds(4) },
    }.Run(async world =>
    {
        world.Network.IsUp = false;
        world.Wire.Break();
        await world.DelayAsync(10);
        var sent = world.Client.Send("x"u8);
        var start = world.Network.Clock.Elapsed;
        await world.Client.CloseAsync();
        Assert.AreEqual(4, (world.Network.Clock.Elapsed - start).TotalSeconds, 0.5);
        Assert.AreEqual(ObjectOutcomeReason.AssociationEnded, (await sent.Completion).Reason);
    });

    [TestMethod]
    public void Abort_ends_the_gap_at_once() => new PostWorld(link: PostWorld.Link(delay: 20)).Run(async world =>
    {
        var sent = world.Client.Send("x"u8);
        world.Network.IsUp = false;
        world.Wire.Break();
        await world.DelayAsync(3000);
        var opening = world.Client.OpenStreamAsync().AsTask();
        world.Client.Abort();
        Assert.AreEqual(PostErrorReason.Aborted, (await sent.Completion).Error!.Reason);
        await world.Client.Completion;
        Assert.AreEqual(PostErrorReason.Aborted, (await Assert.ThrowsExactlyAsync<PostException>(() => opening)).Reason);
        world.Network.IsUp = true;
        await world.DelayAsync(120_000);
        Assert.IsEmpty(world.Network.Wires, "nobody connects for an association that is over");
        Assert.IsTrue(world.Server.Completion.IsCompleted, "and nobody waits for it for ever");
        Assert.AreEqual(PostErrorReason.Transport, world.Server.Error!.Reason);
    });

    [TestMethod]
    public void After_its_timeout_the_association_ends_with_what_broke_the_connection() => new PostWorld(link: PostWorld.Link(delay: 20))
    {
        ClientOptions = new() { ResumptionTimeout = TimeSpan.FromSeconds(20) },
        ServerOptions = new() { ResumptionTimeout = TimeSpan.FromSeconds(30) },
    }.Run(async world =>
    {
        var sent = world.Client.Send("x"u8);
        world.Network.IsUp = false;
        world.Wire.Break(TransportErrorReason.TimedOut);
        var start = world.Network.Clock.Elapsed;
        await world.Client.Completion;
        Assert.AreEqual(20, (world.Network.Clock.Elapsed - start).TotalSeconds, 0.1);
        Assert.AreEqual(PostErrorReason.Transport, world.Client.Error!.Reason);
        Assert.AreEqual(TransportErrorReason.TimedOut, ((TransportException)world.Client.Error.InnerException!).Reason);
        Assert.AreEqual(ObjectOutcome.Failed, (await sent.Completion).Outcome);
        await world.Server.Completion;
        Assert.AreEqual(30, (world.Network.Clock.Elapsed - start).TotalSeconds, 0.1);
    });

    [TestMethod]
    [DataRow("client")]
    [DataRow("server")]
    public void One_end_that_notices_alone_is_enough(string end) => new PostWorld(link: PostWorld.Link(delay: 20)).Run(async world =>
    {
        var got = 0;
        world.Server.Register<Received>(_ => got++);
        await world.DelayAsync(100);
        if (end == "client")
        {
            world.Wire.BreakClient();
        }
        else
        {
            world.Wire.BreakServer();
        }

        var start = world.Network.Clock.Elapsed;
        Assert.AreEqual(ObjectOutcome.Acked, (await world.Client.Send("x"u8).Completion).Outcome);
        if (end == "client")
        {
            // The server's old connection seems alive still; the new one takes its place.
            Assert.IsLessThan(1, (world.Network.Clock.Elapsed - start).TotalSeconds);
        }

        Assert.AreEqual(1, got);
        Assert.HasCount(1, world.Network.Wires.Where(wire => wire.Client.IsClient && wire.IsOpen).ToArray());
    });

    [TestMethod]
    public void The_session_cache_makes_it_quick_and_a_moved_listener_key_does_not_matter_to_it() => new PostWorld(link: PostWorld.Link(delay: 20)).Run(async world =>
    {
        var transport = world.CreateTransport();
        await using var listener = await Listener.ListenAsync(transport, Local.At(new DnsEndPoint("other", 1)));
        listener.Register<Accept>(accept => accept.Association.Register<Received>(_ => { }));
        var local = Local.Anonymous with { Sessions = new MemorySessionCache(world.Network.Clock) };
        await using var client = await Association.AssociateAsync(transport, local, Remote.Named("other", 1));
        await client.Send("x"u8).Completion;
        Assert.IsFalse(client.IsResumed);
        world.Network.Wires[^1].Break();
        await client.Send("x"u8).Completion;
        Assert.IsTrue(client.IsResumed);
    });

    private static async Task<byte[]> ReadAsync(ReceivedObject item, PostWorld world)
    {
        using var all = new MemoryStream();
        var buffer = new byte[20_000];
        var stream = item.AsStream();
        while (await stream.ReadAsync(buffer).ConfigureAwait(false) is var count && count > 0)
        {
            all.Write(buffer, 0, count);

            // Slower than the network, so that a reader is stuck with what it has when its connection goes.
            await Task.Delay(TimeSpan.FromMilliseconds(40), world.Network.Clock).ConfigureAwait(false);
        }

        item.Dispose();
        return all.ToArray();
    }
}
