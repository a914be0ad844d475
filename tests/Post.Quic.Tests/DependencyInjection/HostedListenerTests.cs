using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Post.Sockets;

namespace Post.Quic.Tests.DependencyInjection;

[TestClass]
public sealed class HostedListenerTests
{
    public required TestContext TestContext { get; init; }

    private CancellationToken Canceled => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Each_association_has_a_handler_in_a_scope_of_its_own_that_ends_with_it()
    {
        var log = new ScopeLog();
        await using var world = new DiWorld(
            services => services.AddSingleton(log).AddScoped<ScopedThing>().AddPostListener<EchoHandler>(), DiWorld.ListeningAt());
        await world.StartAsync(Canceled);

        await using (Association one = await world.AssociateAsync(Canceled))
        await using (Association two = await world.AssociateAsync(Canceled))
        {
            Assert.AreEqual("one", await EchoAsync(one, "one"));
            Assert.AreEqual("two", await EchoAsync(two, "two"));
            Assert.AreEqual(2, log.Created.Distinct().Count());
            Assert.IsEmpty(log.Disposed);
        }

        await world.StopAsync(Canceled);
        CollectionAssert.AreEquivalent(log.Created.ToArray(), log.Disposed.ToArray());
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task When_the_host_stops_what_a_handler_sends_last_is_delivered_and_the_close_is_in_order()
    {
        await using var world = new DiWorld(services => services.AddPostListener<FarewellHandler>(), DiWorld.ListeningAt());
        await world.StartAsync(Canceled);
        Association client = await world.AssociateAsync(Canceled);
        Assert.AreEqual("hello", await EchoAsync(client, "hello"));

        Task stopping = world.StopAsync(Canceled);
        using ReceivedObject last = await client.ReceiveAsync(Canceled);
        byte[] farewell = last.ToArray();
        await stopping;
        await client.Completion.WaitAsync(Canceled);

        Assert.AreEqual("farewell", System.Text.Encoding.UTF8.GetString(farewell));
        Assert.IsTrue(
            client.Error is null or { Reason: PostErrorReason.ClosedByPeer }, $"The client saw {client.Error?.Reason}: {client.Error?.Message}");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Who_was_refused_is_not_served()
    {
        var log = new ScopeLog();
        await using var world = new DiWorld(
            services => services.AddSingleton(log).AddScoped<ScopedThing>().AddPostListener<CarefulHandler>(), DiWorld.ListeningAt());
        await world.StartAsync(Canceled);
        await Assert.ThrowsAsync<PostException>(async () =>
        {
            Association refused = await world.AssociateAsync(Canceled);
            await refused.ReceiveAsync(Canceled);
        });
        await world.StopAsync(Canceled);

        Assert.AreEqual(1, log.Created.Count);
        CollectionAssert.AreEqual(log.Created.ToArray(), log.Disposed.ToArray());
        Assert.AreEqual(0, CarefulHandler.Runs, "a refused association was handed to RunAsync");
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_host_that_stops_waits_for_a_handler_that_still_makes_up_its_mind()
    {
        var log = new ScopeLog();
        var mind = new Mind();
        await using var world = new DiWorld(
            services => services.AddSingleton(log).AddSingleton(mind).AddScoped<ScopedThing>().AddPostListener<HesitantHandler>(),
            DiWorld.ListeningAt());
        await world.StartAsync(Canceled);
        Task<Association> associating = world.AssociateAsync(Canceled);
        await mind.Asked.Task.WaitAsync(Canceled);

        Task stopping = world.StopAsync(Canceled);
        while (world.Services.GetRequiredService<PostListeners>().Find() is not null)
        {
            await Task.Delay(5, Canceled);
        }

        Assert.IsFalse(stopping.IsCompleted, "its scope is still in use");
        mind.MadeUp.SetResult();
        await stopping.WaitAsync(Canceled);
        CollectionAssert.AreEqual(log.Created.ToArray(), log.Disposed.ToArray());
        (await associating).Abort();
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_host_that_is_disposed_without_being_stopped_leaves_nobody_who_uses_its_services()
    {
        var log = new ScopeLog();
        var world = new DiWorld(
            services => services.AddSingleton(log).AddScoped<ScopedThing>().AddPostListener<EchoHandler>(), DiWorld.ListeningAt());
        await world.StartAsync(Canceled);
        Association client = await world.AssociateAsync(Canceled);
        Assert.AreEqual("one", await EchoAsync(client, "one"));

        await world.DisposeAsync();
        Assert.AreEqual(1, log.Created.Count);
        CollectionAssert.AreEqual(log.Created.ToArray(), log.Disposed.ToArray());
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_handler_that_does_not_return_is_aborted_when_the_hosts_time_is_up()
    {
        await using var world = new DiWorld(
            services => services.AddPostListener<StubbornHandler>(), DiWorld.ListeningAt(), shutdown: TimeSpan.FromMilliseconds(200));
        await world.StartAsync(Canceled);
        Association client = await world.AssociateAsync(Canceled);
        Assert.AreEqual("there?", await EchoAsync(client, "there?"));

        await world.StopAsync(Canceled);
        await client.Completion.WaitAsync(Canceled);

        Assert.IsNotNull(client.Error);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_handler_can_refuse_who_comes()
    {
        await using var world = new DiWorld(services => services.AddPostListener<RefusingHandler>(), DiWorld.ListeningAt());
        await world.StartAsync(Canceled);

        PostException refused = await Assert.ThrowsAsync<PostException>(async () =>
        {
            Association client = await world.AssociateAsync(Canceled);
            await client.ReceiveAsync(Canceled);
        });

        Assert.AreEqual(PostErrorReason.AssociationRefused, refused.Reason);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task A_handler_that_throws_ends_its_own_association_only()
    {
        await using var world = new DiWorld(services => services.AddPostListener<FragileHandler>(), DiWorld.ListeningAt());
        await world.StartAsync(Canceled);
        Association victim = await world.AssociateAsync(Canceled);
        await using Association other = await world.AssociateAsync(Canceled);

        victim.Send("fail"u8);
        await victim.Completion.WaitAsync(Canceled);

        Assert.IsNotNull(victim.Error);
        Assert.AreEqual("fine", await EchoAsync(other, "fine"));
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Only_trusted_keys_may_associate_where_configuration_names_some()
    {
        using var known = Identity.CreateSelfSigned("known");
        using var stranger = Identity.CreateSelfSigned("stranger");
        Dictionary<string, string?> configuration = DiWorld.ListeningAt();
        configuration["Post:Local:TrustedKeys:0"] = KeyFingerprint.Of(known).ToString();
        await using var world = new DiWorld(services => services.AddPostListener<FragileHandler>(), configuration);
        await world.StartAsync(Canceled);

        await using Association welcome = await world.AssociateAsync(Canceled, client: new Local { Certificate = known });
        Assert.AreEqual("me", await EchoAsync(welcome, "me"));
        await Assert.ThrowsAsync<PostException>(async () =>
        {
            Association refused = await world.AssociateAsync(Canceled, client: new Local { Certificate = stranger });
            await refused.ReceiveAsync(Canceled);
        });
    }

    private async Task<string> EchoAsync(Association association, string text)
    {
        association.Send(System.Text.Encoding.UTF8.GetBytes(text));
        using ReceivedObject echo = await association.ReceiveAsync(Canceled);
        return System.Text.Encoding.UTF8.GetString(echo.ToArray());
    }

    private static async Task EchoUntilAsync(Association association, CancellationToken stopping)
    {
        await foreach (ReceivedObject item in association.ReceiveAllAsync(stopping))
        {
            using (item)
            {
                association.Send(item.ToArray());
            }
        }
    }

    internal sealed class ScopeLog
    {
        public ConcurrentBag<ScopedThing> Created { get; } = [];

        public ConcurrentBag<ScopedThing> Disposed { get; } = [];
    }

    internal sealed class ScopedThing : IAsyncDisposable
    {
        private readonly ScopeLog _log;

        public ScopedThing(ScopeLog log)
        {
            _log = log;
            log.Created.Add(this);
        }

        public ValueTask DisposeAsync()
        {
            _log.Disposed.Add(this);
            return default;
        }
    }

    internal sealed class EchoHandler(ScopedThing thing) : IPostHandler
    {
        public ScopedThing Thing => thing;

        public Task RunAsync(Association association, CancellationToken stopping) => EchoUntilAsync(association, stopping);
    }

    internal sealed class FarewellHandler : IPostHandler
    {
        public async Task RunAsync(Association association, CancellationToken stopping)
        {
            try
            {
                await EchoUntilAsync(association, stopping);
            }
            catch (OperationCanceledException)
            {
                association.Send("farewell"u8);
            }
        }
    }

    internal sealed class StubbornHandler : IPostHandler
    {
        public Task RunAsync(Association association, CancellationToken stopping) => EchoUntilAsync(association, CancellationToken.None);
    }

    internal sealed class RefusingHandler : IPostHandler
    {
        public ValueTask AcceptAsync(Accept accept)
        {
            accept.Refuse();
            return default;
        }

        public Task RunAsync(Association association, CancellationToken stopping) => association.Completion.WaitAsync(stopping);
    }

    internal sealed class CarefulHandler(ScopedThing thing) : IPostHandler
    {
        private static int _runs;

        public static int Runs => Volatile.Read(ref _runs);

        public ScopedThing Thing { get; } = thing;

        public ValueTask AcceptAsync(Accept accept)
        {
            accept.Refuse();
            return default;
        }

        public Task RunAsync(Association association, CancellationToken stopping)
        {
            Interlocked.Increment(ref _runs);
            return association.Completion;
        }
    }

    internal sealed class Mind
    {
        public TaskCompletionSource Asked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MadeUp { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    internal sealed class HesitantHandler(Mind mind, ScopedThing thing) : IPostHandler
    {
        public ScopedThing Thing { get; } = thing;

        public async ValueTask AcceptAsync(Accept accept)
        {
            mind.Asked.SetResult();
            await mind.MadeUp.Task;
        }

        public Task RunAsync(Association association, CancellationToken stopping) => association.Completion.WaitAsync(stopping);
    }

    internal sealed class FragileHandler : IPostHandler
    {
        public async Task RunAsync(Association association, CancellationToken stopping)
        {
            await foreach (ReceivedObject item in association.ReceiveAllAsync(stopping))
            {
                using (item)
                {
                    byte[] bytes = item.ToArray();
                    if (bytes.AsSpan().SequenceEqual("fail"u8))
                    {
                        throw new InvalidOperationException("As asked.");
                    }

                    association.Send(bytes);
                }
            }
        }
    }
}
