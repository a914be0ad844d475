using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Post.Quic.Engine.Tests.Endpoint;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>What goes by which path, and what may be opened from where, through the public API on real sockets.</summary>
[TestClass]
public sealed class PathChoiceSocketTests
{
    /// <summary>Milliseconds: far more than the busiest machine needs, so that only what never ends runs into it.</summary>
    private const int Hang = 120_000;

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task Streams_and_datagrams_go_by_the_path_that_they_are_bound_to()
    {
        await using LoopbackPair pair = await ConnectAsync();
        _ = await pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel);
        foreach (long path in new long[] { 1, 0 })
        {
            var binding = new QuicPathBinding(QuicPathSet.Only(path));
            long before = Sent(pair.Client, path);
            await TransferAsync(pair.Client, pair.Server, 500_000, stream => stream.SetPaths(binding));
            Assert.IsGreaterThan(500_000L, Sent(pair.Client, path) - before);

            before = Sent(pair.Client, path);
            for (int i = 0; i < 20; i++)
            {
                Assert.AreEqual(QuicDatagramResult.Queued, pair.Client.TrySendDatagram(new byte[1_000], binding: binding));
                Assert.AreEqual(
                    QuicStreamSendResult.Queued, pair.Client.TrySendStream(new byte[1_000], default, default, (path * 100) + i, binding));
                _ = await pair.Server.ReceiveDatagramAsync(Cancel);
                await using QuicStream whole = await pair.Server.AcceptInboundStreamAsync(Cancel);
                Assert.AreEqual(1_000, await CountAsync(whole));
            }

            Assert.IsGreaterThan(40_000L, Sent(pair.Client, path) - before);
        }
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_stream_that_waits_for_a_path_goes_when_it_is_bound_to_another()
    {
        await using LoopbackPair pair = await ConnectAsync();
        QuicStream waiting = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        waiting.SetPaths(new QuicPathBinding(QuicPathSet.Only(5), Copies: 2));
        await waiting.WriteAsync(new byte[10_000], completeWrites: true, Cancel);
        await using QuicStream other = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        await other.WriteAsync(new byte[20_000], completeWrites: true, Cancel);

        // Accepted in the order of their ids, though nothing came on the first.
        await using QuicStream arrived = await pair.Server.AcceptInboundStreamAsync(Cancel);
        await using QuicStream next = await pair.Server.AcceptInboundStreamAsync(Cancel);
        Assert.AreEqual(20_000, await CountAsync(next));
        waiting.SetPaths(default);
        Assert.AreEqual(10_000, await CountAsync(arrived));
    }

    [TestMethod]
    [DataRow(QuicPathPolicy.Interactive)]
    [DataRow(QuicPathPolicy.MinimumRoundTrip)]
    [DataRow(QuicPathPolicy.Redundant)]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_policy_spreads_what_is_sent_as_it_says(QuicPathPolicy policy)
    {
        const int Bytes = 1_000_000;
        const int Pieces = 50;
        await using LoopbackPair pair = await ConnectAsync(client => client with { PathPolicy = policy });
        _ = await pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel);
        await TransferAsync(pair.Client, pair.Server, 100_000);
        long[] before = [Sent(pair.Client, 0), Sent(pair.Client, 1)];
        for (int i = 0; i < Pieces; i++)
        {
            await TransferAsync(pair.Client, pair.Server, Bytes / Pieces);
        }

        long[] sent = [Sent(pair.Client, 0) - before[0], Sent(pair.Client, 1) - before[1]];
        switch (policy)
        {
            case QuicPathPolicy.Interactive:
                // Bulk stays on one; acknowledgements, and probes of its size up to 64 KiB, go by the other.
                Assert.IsLessThan(500_000L, sent.Min());
                break;
            case QuicPathPolicy.Redundant:
                // What is acknowledged before the other path has room for it, as it is here in no time, is not sent again.
                Assert.IsGreaterThan(1.2 * Bytes, (double)sent.Sum());
                break;
            default:
                Assert.IsLessThan(1.3 * Bytes, (double)sent.Sum());
                break;
        }
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_server_that_forbids_migration_is_opened_no_path_to_and_moved_no_connection_of()
    {
        await using LoopbackPair pair = await ConnectAsync(server: options => options with { ForbidMigration = true });
        await MultipathPair.FailsAsync(QuicError.PathForbidden, () => pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel).AsTask());
        InvalidOperationException error = await Assert.ThrowsExactlyAsync<InvalidOperationException>(
            () => pair.Client.MigrateAsync(At(2), Cancel).AsTask());
        Assert.Contains("forbids", error.Message);
        Assert.AreEqual(1, pair.Client.Host.Sockets.Length);
        await TransferAsync(pair.Client, pair.Server, 100_000);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_path_without_connection_ids_says_so()
    {
        await using LoopbackPair pair = await ConnectAsync();
        await TransferAsync(pair.Client, pair.Server, 100_000);
        using var held = new ManualResetEventSlim();
        using var over = new ManualResetEventSlim();
        var silent = new Thread(() =>
        {
            lock (pair.Server.Driver.Gate)
            {
                held.Set();
                over.Wait(CancellationToken.None);
            }
        });
        silent.Start();
        held.Wait(Cancel);
        try
        {
            // A server that replaces none: the ids of all unused paths are given back.
            lock (pair.Client.Driver.Gate)
            {
                foreach (Engine.Paths.Path path in pair.Client.Driver.Core.State.Paths.Known)
                {
                    if (path.Id != 0)
                    {
                        path.RemoteIds.RetireAll();
                    }
                }
            }

            await MultipathPair.FailsAsync(QuicError.NoPathConnectionId, () => pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel).AsTask());
        }
        finally
        {
            over.Set();
            silent.Join();
        }
    }

    /// <summary>Two calls share a socket; that one of them gives up must not close it under the other.</summary>
    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_call_that_gives_up_closes_no_socket_that_another_opens_a_path_from()
    {
        await using LoopbackPair pair = await ConnectAsync(server: options => options with { MaxPaths = 2 });
        QuicPath first = await pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel);
        IPEndPoint shared = FreePort();
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        // The limit is reached: both wait for the first path to go.
        Task<QuicPath> one = pair.Client.OpenPathAsync(shared, cancellationToken: impatience.Token).AsTask();
        await UntilAsync(() => pair.Client.Host.Sockets.Length == 3, "the socket was not opened");
        Task<QuicPath> other = pair.Client.OpenPathAsync(shared, cancellationToken: Cancel).AsTask();
        await impatience.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => one);
        Assert.AreEqual(3, pair.Client.Host.Sockets.Length);
        Task closing = pair.Client.ClosePathAsync(first.PathId, cancellationToken: Cancel).AsTask();
        QuicPath? opened = null;
        for (int attempt = 0; opened is null; attempt++)
        {
            try
            {
                opened = await other;
            }
            catch (QuicException error) when (error.QuicError is QuicError.PathLimitReached or QuicError.NoPathConnectionId && attempt < 20)
            {
                // The server goes by its own probe timeouts, which a busy machine makes long.
                other = pair.Client.OpenPathAsync(shared, cancellationToken: Cancel).AsTask();
            }
        }

        Assert.AreEqual(shared, opened.LocalEndPoint);
        await closing;
        await TransferAsync(pair.Client, pair.Server, 100_000, stream => stream.SetPaths(new QuicPathBinding(QuicPathSet.Only(opened.PathId))));
        await UntilAsync(() => pair.Client.Host.Sockets.Length == 2, "the socket of the closed path is still open");
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_dead_path_that_carries_nothing_is_found_by_a_probe_and_given_up_by_its_idle_timeout()
    {
        await using LoopbackPair pair = await ConnectAsync(client => client with { PathIdleTimeout = TimeSpan.FromSeconds(1) });
        QuicPath opened = await pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel);
        pair.Client.SetPathStatus(opened.PathId, QuicPathStatus.Backup);
        await TransferAsync(pair.Client, pair.Server, 100_000);
        pair.Client.Host.ReturnSocket(Addressing.NetworkAddress.FromEndPoint(opened.LocalEndPoint));
        pair.Client.ProbePaths();
        await UntilAsync(
            () => pair.Client.GetPaths().SingleOrDefault(path => path.PathId == opened.PathId) is null
                or { State: QuicPathState.Suspect or QuicPathState.Failing or QuicPathState.Abandoned },
            "the dead path is taken for a good one");
        await UntilAsync(
            async () =>
            {
                // The other is heard, and stays.
                await TransferAsync(pair.Client, pair.Server, 10_000);
                return pair.Client.GetPaths().SingleOrDefault(path => path.PathId == opened.PathId) is null or { State: QuicPathState.Abandoned };
            },
            "the dead path is kept");
        Assert.IsFalse(pair.Client.Closed.IsCompleted);
    }

    [TestMethod]
    public void Sets_of_paths_say_what_they_allow()
    {
        Assert.IsTrue(QuicPathSet.Any.Allows(7));
        Assert.IsTrue(QuicPathSet.Only(3, 1, 3).Allows(3));
        Assert.IsFalse(QuicPathSet.Only(3, 1).Allows(2));
        Assert.IsFalse(QuicPathSet.Only().Allows(0));
        Assert.IsTrue(QuicPathSet.AllBut(2).Allows(1));
        Assert.IsFalse(QuicPathSet.AllBut(2).Allows(2));
        Assert.IsTrue(QuicPathSet.Preferring(2).Allows(1));
        Assert.IsFalse(QuicPathSet.AllBut(2).Allows(-1));
        Assert.AreEqual(QuicPathSet.Only(1, 2), QuicPathSet.Only(2, 1));
        Assert.AreEqual(QuicPathSet.Only(1, 2).GetHashCode(), QuicPathSet.Only(2, 1).GetHashCode());
        Assert.AreNotEqual(QuicPathSet.Only(1), QuicPathSet.AllBut(1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => QuicPathSet.Only(-1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => QuicPathSet.AllBut(1L << 32));
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(-1)]
    [DataRow(9)]
    public async Task A_number_of_copies_out_of_range_is_refused(int copies)
    {
        await using LoopbackPair pair = await ConnectAsync();
        await using QuicStream stream = await pair.Client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        var binding = new QuicPathBinding(Copies: copies);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => stream.SetPaths(binding));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => pair.Client.TrySendDatagram(new byte[1], binding: binding));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => pair.Client.TrySendStream(new byte[1], default, default, 1, binding));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => stream.SetExpectedLength(-1));
    }

    [TestMethod]
    public async Task A_path_idle_timeout_that_is_no_silence_is_refused()
    {
        ArgumentException error = await Assert.ThrowsExactlyAsync<ArgumentException>(() => QuicConnection.ConnectAsync(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = At(1),
                ClientAuthenticationOptions = LoopbackPair.ClientAuthentication(),
                PathIdleTimeout = TimeSpan.FromMilliseconds(99),
            },
            Cancel).AsTask());
        Assert.Contains("PathIdleTimeout", error.Message);
    }

    private static IPEndPoint At(int host) => new(IPAddress.Parse($"127.0.0.{host}"), 0);

    private static IPEndPoint FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(At(3));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    private static long Sent(QuicConnection connection, long path) => connection.GetPaths().Single(one => one.PathId == path).BytesSent;

    private Task<LoopbackPair> ConnectAsync(
        Func<QuicClientConnectionOptions, QuicClientConnectionOptions>? client = null,
        Func<QuicServerConnectionOptions, QuicServerConnectionOptions>? server = null) =>
        MultipathPair.ConnectAsync(Cancel, client, server);

    private async Task TransferAsync(QuicConnection from, QuicConnection to, int bytes, Action<QuicStream>? prepare = null)
    {
        byte[] data = RandomNumberGenerator.GetBytes(bytes);
        await using QuicStream outbound = await from.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        prepare?.Invoke(outbound);
        outbound.SetExpectedLength(bytes);
        Task writing = outbound.WriteAsync(data, completeWrites: true, Cancel).AsTask();
        await using QuicStream inbound = await to.AcceptInboundStreamAsync(Cancel);
        Assert.AreEqual(bytes, await CountAsync(inbound));
        await writing;
    }

    private async Task<int> CountAsync(QuicStream stream)
    {
        byte[] buffer = new byte[64 * 1024];
        int total = 0;
        int count;
        while ((count = await stream.ReadAsync(buffer, Cancel)) != 0)
        {
            total += count;
        }

        return total;
    }

    private Task UntilAsync(Func<bool> condition, string otherwise) => UntilAsync(() => Task.FromResult(condition()), otherwise);

    private async Task UntilAsync(Func<Task<bool>> condition, string otherwise)
    {
        while (!await condition())
        {
            Assert.IsFalse(Cancel.IsCancellationRequested, otherwise);
            await Task.Delay(5, CancellationToken.None);
        }
    }
}
