using System.Net;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Associations;

[TestClass]
public sealed class PathAndSessionTests
{
    [TestMethod]
    public void A_migration_raises_paths_changed_on_both_sides_and_nothing_is_lost() => new PostWorld(link: PostWorld.Link(5_000_000, 10)).Run(async world =>
    {
        var ours = new List<PostPathChange>();
        var theirs = new List<PostPathChange>();
        world.Client.Register<PathsChanged>(changed => ours.Add(changed.Change));
        world.Server.Register<PathsChanged>(changed => theirs.Add(changed.Change));
        world.Server.Register<Received>(_ => { });
        var sent = Enumerable.Range(0, 20).Select(_ => world.Client.Send(new byte[50_000])).ToArray();
        await world.DelayAsync(200);
        await world.Client.MigrateAsync(new IPEndPoint(IPAddress.Parse("10.0.0.9"), 999));
        foreach (var item in sent)
        {
            (await item.Completion).EnsureAcked();
        }

        CollectionAssert.Contains(ours, PostPathChange.Migrated);
        CollectionAssert.Contains(theirs, PostPathChange.PeerMoved);
        Assert.AreEqual(new IPEndPoint(IPAddress.Parse("10.0.0.9"), 999), world.Server.RemoteEndPoint);
        Assert.IsNotEmpty(world.Client.Paths);
        Assert.IsNotNull(world.Client.Statistics.SmoothedRtt);
    });

    [TestMethod]
    public void A_transport_that_cannot_migrate_says_so() =>
        new PostWorld(capabilities: InMemoryNetwork.DefaultCapabilities & ~TransportCapabilities.Migration).Run(async world =>
        {
            try
            {
                await world.Client.MigrateAsync();
                Assert.Fail("it cannot");
            }
            catch (PostException exception)
            {
                Assert.AreEqual(PostErrorReason.NotSupported, exception.Reason);
            }
        });

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void Only_what_is_safe_to_replay_goes_before_the_handshake(bool rejected)
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: 50)) { RejectEarlyData = rejected };
        network.Run(async () =>
        {
            var options = new AssociationOptions { AllowEarlyData = true };
            var transport = network.CreateTransport();
            await using var listener = await Listener.ListenAsync(
                transport, Local.At(new DnsEndPoint("server", 1)), new ListenerOptions { Association = options });
            var local = Local.Anonymous with { Sessions = new MemorySessionCache(network.Clock) };
            var servers = new List<Association>();
            var got = new List<(long Id, bool Early, TimeSpan At)>();
            listener.Register<Accept>(accept =>
            {
                servers.Add(accept.Association);
                accept.Association.Register<Received>(r => got.Add((r.Object.Id, r.Object.IsEarlyData, network.Clock.Elapsed)));
            });
            var first = await Association.AssociateAsync(transport, local, Remote.Named("server", 1), options);
            await first.Send("warm"u8).Completion;
            await first.CloseAsync();
            got.Clear();

            var start = network.Clock.Elapsed;
            await using var second = await Association.AssociateAsync(transport, local, Remote.Named("server", 1), options);
            var unsafeObject = second.Send("pay"u8);
            var safe = second.Send("query"u8, new() { SafeToReplay = true });
            (await safe.Completion).EnsureAcked();
            (await unsafeObject.Completion).EnsureAcked();
            Assert.HasCount(2, got);
            var early = got.Single(g => g.Id == safe.Id);
            var late = got.Single(g => g.Id == unsafeObject.Id);
            Assert.IsFalse(late.Early, "what is not safe to replay must wait for the handshake");
            if (!rejected)
            {
                Assert.IsTrue(early.Early);
                Assert.IsTrue(second.IsResumed);
                Assert.IsLessThan(90, (early.At - start).TotalMilliseconds, "early data arrives after one way");
            }

            Assert.IsGreaterThan(90, (late.At - start).TotalMilliseconds);
        });
    }

    [TestMethod]
    public void A_session_cache_that_throws_costs_no_association() => new PostWorld(link: PostWorld.Link(delay: 5)).Run(async world =>
    {
        var options = new AssociationOptions { AllowEarlyData = true };
        var transport = world.CreateTransport();
        await using var listener = await Listener.ListenAsync(
            transport, Local.At(new DnsEndPoint("door", 1)), new ListenerOptions { Association = options });
        listener.Register<Accept>(static accept => accept.Association.Register<Received>(static _ => { }));
        for (var i = 0; i < 2; i++)
        {
            await using var client = await Association.AssociateAsync(
                transport, Local.Anonymous with { Sessions = new BrokenCache() }, Remote.Named("door", 1), options);
            Assert.AreEqual(ObjectOutcome.Acked, (await client.Send("x"u8).Completion).Outcome);
            Assert.IsNull(client.Error);
        }
    });

    [TestMethod]
    public void Sessions_are_used_once_forgotten_when_old_and_bounded()
    {
        var clock = new VirtualClock();
        var cache = new MemorySessionCache(clock, maxKeys: 2, maxSessionsPerKey: 2);
        var later = clock.GetUtcNow().AddHours(1);
        cache.Put("a", new byte[] { 1 }, later);
        cache.Put("a", new byte[] { 2 }, later);
        cache.Put("a", new byte[] { 3 }, later);
        Assert.IsTrue(cache.TryTake("a", out var session));
        Assert.AreEqual(3, session.Span[0], "the newest");
        Assert.IsTrue(cache.TryTake("a", out session));
        Assert.AreEqual(2, session.Span[0]);
        Assert.IsFalse(cache.TryTake("a", out _), "two a key, each once");
        cache.Put("a", new byte[] { 1 }, later);
        cache.Put("b", new byte[] { 1 }, later);
        cache.Put("c", new byte[] { 1 }, later);
        Assert.IsFalse(cache.TryTake("a", out _), "the least recently used gave way");
        clock.RunFor(TimeSpan.FromHours(2));
        Assert.IsFalse(cache.TryTake("b", out _), "expired");
        cache.Put("c", new byte[] { 1 }, clock.GetUtcNow().AddHours(1));
        cache.Remove("c");
        Assert.IsFalse(cache.TryTake("c", out _));
    }

    [TestMethod]
    public void Fingerprints_survive_text_and_compare_by_value()
    {
        using var identity = Identity.CreateSelfSigned("me");
        var key = KeyFingerprint.Of(identity);
        Assert.AreEqual(key, KeyFingerprint.Parse(key.ToString()));
        Assert.IsTrue(KeyFingerprint.TryParse(string.Join(':', Convert.ToHexString(key.Bytes).Chunk(2).Select(c => new string(c))), out var colons));
        Assert.IsTrue(key == colons);
        Assert.IsFalse(KeyFingerprint.TryParse("sha256:abc", out _));
        Assert.IsFalse(KeyFingerprint.TryParse(new string('g', 64), out _));
        Assert.ThrowsExactly<FormatException>(() => KeyFingerprint.Parse("no"));
        Assert.IsTrue(identity.HasPrivateKey);
        using var other = Identity.CreateSelfSigned("me");
        Assert.AreNotEqual(key, KeyFingerprint.Of(other));
    }

    private sealed class BrokenCache : ISessionCache
    {
        public void Put(string key, ReadOnlyMemory<byte> session, DateTimeOffset expiresAt) => throw new IOException("the cache's server is away");

        public bool TryTake(string key, out ReadOnlyMemory<byte> session) => throw new IOException("the cache's server is away");

        public void Remove(string key) => throw new IOException("the cache's server is away");
    }
}
