namespace Post.Sockets.Tests.Objects;

[TestClass]
public sealed class AntecedentTests
{
    [TestMethod]
    public void Dependents_come_after_all_of_their_antecedents() => new PostWorld(5, PostWorld.Link(5_000_000, 20, loss: 0.1, reorder: 0.2)).Run(async world =>
    {
        var order = new List<long>();
        world.Server.Register<Received>(r => order.Add(r.Object.Id));
        var random = new Random(5);
        var sent = new List<SentObject>();
        for (var i = 0; i < 200; i++)
        {
            var antecedents = Enumerable.Range(0, random.Next(4)).Where(_ => sent.Count > 0).Select(_ => sent[random.Next(sent.Count)]).ToArray();
            sent.Add(world.Client.Send(new byte[random.Next(20_000)], new() { Antecedents = antecedents, Niceness = random.Next(5) }));
        }

        foreach (var item in sent)
        {
            (await item.Completion).EnsureAcked();
        }

        var place = order.Select((id, index) => (id, index)).ToDictionary(p => p.id, p => p.index);
        Assert.HasCount(200, place);
        foreach (var item in sent)
        {
            foreach (var antecedent in item.Properties.Antecedents)
            {
                Assert.IsLessThan(place[item.Id], place[antecedent.Id], $"{antecedent.Id} before {item.Id}");
            }
        }
    });

    [TestMethod]
    public void What_requires_an_expired_object_expires_with_it_and_so_on() => new PostWorld(link: PostWorld.Link(1_000_000, 10)).Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        var doomed = world.Client.Send(new byte[1_000_000], new() { Lifetime = TimeSpan.FromMilliseconds(500), Niceness = 0 });
        var child = world.Client.Send("child"u8, new() { Antecedents = [doomed] });
        var grandchild = world.Client.Send("grandchild"u8, new() { Antecedents = [child] });
        var ordered = world.Client.Send("ordered"u8, new() { Antecedents = [doomed], AntecedentPolicy = AntecedentPolicy.Order });
        var after = world.Client.Send("after"u8, new() { Antecedents = [ordered] });
        Assert.AreEqual(ObjectOutcome.Expired, (await doomed.Completion).Outcome);
        Assert.AreEqual(ObjectOutcomeReason.AntecedentExpired, (await child.Completion).Reason);
        Assert.AreEqual(ObjectOutcomeReason.AntecedentExpired, (await grandchild.Completion).Reason);
        (await ordered.Completion).EnsureAcked();
        (await after.Completion).EnsureAcked();
        var stillborn = world.Client.Send("late"u8, new() { Antecedents = [doomed] });
        Assert.AreEqual(ObjectOutcomeReason.AntecedentExpired, (await stillborn.Completion).Reason);
    });

    [TestMethod]
    public void The_receiver_cascades_when_an_antecedent_dies_there() => new PostWorld(link: PostWorld.Link(delay: 10)).Run(async world =>
    {
        // Nobody receives, so the first expires at the receiver while the second waits for it there.
        var first = world.Client.Send("first"u8, new() { Lifetime = TimeSpan.FromMilliseconds(200) });
        var second = world.Client.Send("second"u8, new() { Antecedents = [first] });
        var third = world.Client.Send("third"u8, new() { Antecedents = [first], AntecedentPolicy = AntecedentPolicy.Order });
        Assert.AreEqual(ObjectOutcome.Expired, (await first.Completion).Outcome);
        Assert.AreEqual(ObjectOutcomeReason.AntecedentExpired, (await second.Completion).Reason);
        using var received = await world.Server.ReceiveAsync();
        Assert.AreEqual(third.Id, received.Id);
    });

    [TestMethod]
    public void A_chain_of_a_hundred_thousand_cascades_without_recursion() => new PostWorld(link: PostWorld.Link(1_000_000, 10))
    {
        ClientOptions = new() { MaxQueuedObjects = 200_000 },
    }.Run(async world =>
    {
        var writer = world.Client.Compose();
        var last = writer.Object;
        for (var i = 0; i < 100_000; i++)
        {
            last = world.Client.Send("x"u8, new() { Antecedents = [last] });
        }

        writer.Object.Cancel();
        Assert.AreEqual(ObjectOutcomeReason.AntecedentExpired, (await last.Completion).Reason);
    });

    [TestMethod]
    public void An_antecedent_inherits_the_urgency_of_what_waits_for_it() => new PostWorld(link: PostWorld.Link(1_000_000, 10)).Run(async world =>
    {
        var order = new List<long>();
        world.Server.Register<Received>(r => order.Add(r.Object.Id));
        await world.Client.Send("warm"u8).Completion;
        var nice = world.Client.Send(new byte[20_000], new() { Niceness = 9 });
        var nicer = world.Client.Send(new byte[20_000], new() { Niceness = 8, Antecedents = [nice] });
        var middle = Enumerable.Range(0, 20).Select(_ => world.Client.Send(new byte[10_000], new() { Niceness = 5 })).ToArray();
        var urgent = world.Client.Send("urgent"u8, new() { Niceness = 0, Antecedents = [nicer] });
        foreach (var item in middle)
        {
            await item.Completion;
        }

        Assert.IsLessThan(order.IndexOf(middle[10].Id), order.IndexOf(urgent.Id), string.Join(' ', order));
        Assert.IsLessThan(order.IndexOf(urgent.Id), order.IndexOf(nicer.Id));
        Assert.IsLessThan(order.IndexOf(nicer.Id), order.IndexOf(nice.Id));
    });

    [TestMethod]
    public void An_object_of_another_association_is_no_antecedent() => new PostWorld().Run(async world =>
    {
        var theirs = world.Server.Send("x"u8);
        Assert.ThrowsExactly<ArgumentException>(() => world.Client.Send("y"u8, new() { Antecedents = [theirs] }));
        await world.DelayAsync(1);
    });

    [TestMethod]
    public void More_dependents_than_the_receiver_holds_wait_at_the_sender() => new PostWorld(link: PostWorld.Link(10_000_000, 50))
    {
        ServerOptions = new() { MaxWaitingObjects = 10 },
    }.Run(async world =>
    {
        world.Server.Register<Received>(_ => { });
        await world.Client.Send("warm"u8).Completion;
        var head = world.Client.Send(new byte[100_000]);
        var sent = Enumerable.Range(0, 200).Select(_ => world.Client.Send("x"u8, new() { Antecedents = [head] })).ToArray();
        foreach (var item in sent)
        {
            (await item.Completion).EnsureAcked();
        }
    });
}
