using System.Diagnostics;
using System.Net;
using Post.Quic.Engine.Tests.Endpoint;
using Post.Quic.Engine.Tests.Udp;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>Several paths over real links of limited rates, in network namespaces.</summary>
[TestClass]
[DoNotParallelize]
public sealed class ShapedLinkTests
{
    /// <summary>Milliseconds: far more than the busiest machine needs, so that only what never ends runs into it.</summary>
    private const int Hang = 120_000;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(5);

    /// <summary>Until the windows of new paths are as large as the links.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    /// <summary>What a machine with much else to do adds, and the probe timeout may grow by after it was read.</summary>
    private static readonly TimeSpan Busy = TimeSpan.FromMilliseconds(150);

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(true)]
    [DataRow(false)]
    public void Two_links_of_20_Mbit_a_second_give_their_sum(bool up) => Over(20, 20, QuicPathPolicy.Aggregate, (client, server, _) =>
    {
        (double alone, double both) = Compare(client, server, up);
        Assert.IsGreaterThan(0.95 * 2 * alone, both);
    });

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(true)]
    [DataRow(false)]
    public void A_link_of_5_beside_one_of_20_Mbit_a_second_costs_nothing(bool up) => Over(20, 5, QuicPathPolicy.Aggregate, (client, server, _) =>
    {
        (double alone, double both) = Compare(client, server, up);
        Assert.IsGreaterThan(alone, both);
    });

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public void A_handover_policy_sends_by_one_link_only() => Over(20, 20, QuicPathPolicy.Handover, (client, server, _) =>
    {
        (double alone, double both) = Compare(client, server, up: true);
        Assert.IsLessThan(1.1 * alone, both);
    });

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(1)]
    [DataRow(2)]
    public void A_link_that_is_cut_without_a_word_delays_nothing_by_more_than_three_probe_timeouts(int link) =>
        Over(20, 20, QuicPathPolicy.Aggregate, (client, server, network) =>
        {
            Wait(client.OpenPathAsync(TwoLinkNetwork.ClientOn(2), cancellationToken: Cancel).AsTask());
            QuicPath cut = Prefer(client, server, link);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            Task<long> slowest = SendObjectsAsync(client, server, over.Token);
            Thread.Sleep(1_000);
            TimeSpan timeouts = Timeouts(client, server, cut.PathId);
            network.Cut(link);
            Thread.Sleep(3_000);
            Assert.AreEqual(QuicPathState.Failing, PathOf(client, cut.PathId).State);
            over.Cancel();
            CheckDelay(slowest.WaitAsync(Cancel).GetAwaiter().GetResult(), timeouts);
        });

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(1)]
    [DataRow(2)]
    public void A_link_that_is_cut_in_mid_transfer_stops_it_for_no_more_than_three_probe_timeouts(int link) =>
        Over(20, 20, QuicPathPolicy.Aggregate, (client, server, network) =>
        {
            Wait(client.OpenPathAsync(TwoLinkNetwork.ClientOn(2), cancellationToken: Cancel).AsTask());
            using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            long last = 0;
            long longest = 0;
            Task sending = SendAsync(client, over.Token);
            Task receiving = ReceiveAsync(server, _ =>
            {
                long now = Stopwatch.GetTimestamp();
                longest = Math.Max(longest, last == 0 ? 0 : now - last);
                last = now;
            });
            Thread.Sleep(WarmUp);
            TimeSpan timeouts = Timeouts(client, server, link - 1);
            Volatile.Write(ref longest, 0);
            network.Cut(link);
            Thread.Sleep(3_000);
            Assert.AreEqual(QuicPathState.Failing, PathOf(client, link - 1).State);
            over.Cancel();
            Task.WhenAll(sending, receiving).WaitAsync(Cancel).GetAwaiter().GetResult();
            CheckDelay(Volatile.Read(ref longest), timeouts);
        });

    /// <summary>Three probe timeouts, of the side that has the longer ones.</summary>
    private TimeSpan Timeouts(QuicConnection client, QuicConnection server, long pathId)
    {
        TimeSpan here = 3 * ProbeTimeout(PathOf(client, pathId));
        TimeSpan there = 3 * ProbeTimeout(PathOf(server, pathId));
        TestContext.WriteLine($"three probe timeouts: {here.TotalMilliseconds:F0} ms at the client, {there.TotalMilliseconds:F0} ms at the server");
        return here > there ? here : there;
    }

    private void CheckDelay(long ticks, TimeSpan timeouts)
    {
        TimeSpan longest = Stopwatch.GetElapsedTime(0, ticks);
        TestContext.WriteLine($"at most {longest.TotalMilliseconds:F0} ms, three probe timeouts are {timeouts.TotalMilliseconds:F0} ms");
        Assert.IsLessThan(TimeSpan.FromSeconds(1), longest);
        Assert.IsLessThan(timeouts + Busy, longest);
    }

    /// <summary>Has the path over one link carry what the client sends, and the other wait.</summary>
    private static QuicPath Prefer(QuicConnection client, QuicConnection server, int link)
    {
        int spared = 2 - link;
        client.SetPathStatus(spared, QuicPathStatus.Backup);
        Assert.IsTrue(SpinWait.SpinUntil(() => PathOf(server, spared).State == QuicPathState.Backup, TimeSpan.FromSeconds(20)));
        return PathOf(client, link - 1);
    }

    private static QuicPath PathOf(QuicConnection connection, long id) => connection.GetPaths().Single(path => path.PathId == id);

    /// <summary>RFC 9002 section 6.2.1, with the delay of acknowledgements that is the default.</summary>
    private static TimeSpan ProbeTimeout(QuicPath path) =>
        path.SmoothedRtt + TimeSpan.FromMilliseconds(Math.Max(4 * path.RttVariation.TotalMilliseconds, 1)) + TimeSpan.FromMilliseconds(25);

    private void Over(int first, int second, QuicPathPolicy policy, Action<QuicConnection, QuicConnection, TwoLinkNetwork> test) =>
        TwoLinkNetwork.Run(
            () => LoopbackPair.ListenAsync(
                server => server with { MaxPaths = 2, PathPolicy = policy },
                listen => listen with { ListenEndPoint = new IPEndPoint(IPAddress.Any, 0) }).AsTask(),
            (listener, network) =>
            {
                Task<QuicConnection> accepting = listener.AcceptConnectionAsync(Cancel).AsTask();
                QuicConnection client = Wait(QuicConnection.ConnectAsync(
                    new QuicClientConnectionOptions
                    {
                        RemoteEndPoint = new IPEndPoint(IPAddress.Parse(TwoLinkNetwork.ServerHost), listener.LocalEndPoint.Port),
                        LocalEndPoint = TwoLinkNetwork.ClientOn(1),
                        ClientAuthenticationOptions = LoopbackPair.ClientAuthentication(),
                        MaxPaths = 2,
                        PathPolicy = policy,
                    },
                    Cancel).AsTask());
                QuicConnection server = Wait(accepting);
                WaitUntilConfirmed(client);
                test(client, server, network);
                Wait(client.DisposeAsync().AsTask());
                Wait(server.DisposeAsync().AsTask());
            },
            TwoLinkNetwork.Shape(first, 100),
            TwoLinkNetwork.Shape(second, 100));

    /// <summary>Bits a second that arrive over the first link alone, and over both.</summary>
    private (double Alone, double Both) Compare(QuicConnection client, QuicConnection server, bool up)
    {
        (QuicConnection from, QuicConnection to) = up ? (client, server) : (server, client);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        long received = 0;
        Task sending = SendAsync(from, over.Token);
        Task receiving = ReceiveAsync(to, count => Interlocked.Add(ref received, count));
        double alone = Rate();
        Wait(client.OpenPathAsync(TwoLinkNetwork.ClientOn(2), cancellationToken: Cancel).AsTask());
        double both = Rate();
        over.Cancel();
        Task.WhenAll(sending, receiving).WaitAsync(Cancel).GetAwaiter().GetResult();
        TestContext.WriteLine($"{alone / 1e6:F2} Mbit/s alone, {both / 1e6:F2} over both");
        foreach (QuicPath path in from.GetPaths())
        {
            TestContext.WriteLine(
                $"path {path.PathId}: {path.BytesSent} bytes, {path.PacketsLost} of {path.PacketsSent} packets lost, round trip "
                    + $"{path.SmoothedRtt.TotalMilliseconds:F0} ms, window {path.CongestionWindow}, {path.State}");
        }

        return (alone, both);

        double Rate()
        {
            Thread.Sleep(WarmUp);
            long before = Interlocked.Read(ref received);
            long start = Stopwatch.GetTimestamp();
            Thread.Sleep(Duration);
            return (Interlocked.Read(ref received) - before) * 8 / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    private async Task SendAsync(QuicConnection from, CancellationToken over)
    {
        QuicStream stream = await from.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        byte[] piece = new byte[64 * 1024];
        while (!over.IsCancellationRequested)
        {
            await stream.WriteAsync(piece, Cancel);
        }

        stream.CompleteWrites();
    }

    private async Task ReceiveAsync(QuicConnection to, Action<int> received)
    {
        await using QuicStream stream = await to.AcceptInboundStreamAsync(Cancel);
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = await stream.ReadAsync(buffer, Cancel)) != 0)
        {
            received(count);
        }
    }

    /// <summary>Small objects, one every 10 ms, each on a stream of its own; returns the ticks that the slowest took to get there.</summary>
    private async Task<long> SendObjectsAsync(QuicConnection from, QuicConnection to, CancellationToken over)
    {
        long slowest = 0;
        int count = 0;
        var receiving = new List<Task>();
        while (!over.IsCancellationRequested)
        {
            receiving.Add(OneAsync());
            count++;
            await Task.Delay(10, CancellationToken.None);
        }

        await Task.WhenAll(receiving);
        TestContext.WriteLine($"{count} objects");
        return slowest;

        async Task OneAsync()
        {
            long start = Stopwatch.GetTimestamp();
            await using QuicStream outbound = await from.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
            await outbound.WriteAsync(BitConverter.GetBytes(start), completeWrites: true, Cancel);
            await using QuicStream inbound = await to.AcceptInboundStreamAsync(Cancel);
            byte[] bytes = new byte[sizeof(long)];
            await inbound.ReadExactlyAsync(bytes, Cancel);
            long took = Stopwatch.GetTimestamp() - BitConverter.ToInt64(bytes);
            InterlockedMax(ref slowest, took);
        }
    }

    private static void InterlockedMax(ref long target, long value)
    {
        long seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }

    /// <summary>Opening a path waits for that, and would go on on another thread; but the new socket belongs to the namespace of the thread that opens it.</summary>
    private static void WaitUntilConfirmed(QuicConnection client) => Assert.IsTrue(SpinWait.SpinUntil(
        () =>
        {
            lock (client.Driver.Gate)
            {
                return client.Driver.Core.IsHandshakeConfirmed;
            }
        },
        TimeSpan.FromSeconds(20)));

    private T Wait<T>(Task<T> task) => task.WaitAsync(TimeSpan.FromSeconds(20), Cancel).GetAwaiter().GetResult();

    private void Wait(Task task) => task.WaitAsync(TimeSpan.FromSeconds(20), Cancel).GetAwaiter().GetResult();
}
