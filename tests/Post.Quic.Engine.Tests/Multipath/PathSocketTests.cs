using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Tests.Endpoint;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>Several paths through the public API, on real sockets at several loopback addresses.</summary>
[TestClass]
public sealed class PathSocketTests
{
    /// <summary>Milliseconds: far more than the busiest machine needs, so that only what never ends runs into it.</summary>
    private const int Hang = 120_000;

    private readonly PathLog _atClient = new();
    private readonly PathLog _atServer = new();

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_second_path_has_a_socket_of_its_own_and_carries_data_both_ways()
    {
        await using LoopbackPair pair = await ConnectAsync();
        Assert.IsTrue(pair.Client.IsMultipathNegotiated);
        QuicPath opened = await pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel);

        Assert.AreEqual(1, opened.PathId);
        Assert.AreEqual(IPAddress.Parse("127.0.0.2"), opened.LocalEndPoint.Address);
        Assert.AreEqual(pair.Client.RemoteEndPoint, opened.RemoteEndPoint);
        Assert.IsTrue(opened.IsValidated && opened.IsActive);
        Assert.AreEqual(QuicPathState.Available, opened.State);
        Assert.AreEqual(2, pair.Client.Host.Sockets.Length);

        foreach (long spared in new long[] { 0, 1, 0 })
        {
            await SpareAsync(pair, spared);
            foreach ((QuicConnection from, QuicConnection to) in new[] { (pair.Client, pair.Server), (pair.Server, pair.Client) })
            {
                long before = PathOf(from, 1 - spared).BytesSent;
                await TransferAsync(from, to, 1_000_000);
                Assert.IsGreaterThan(900_000L, PathOf(from, 1 - spared).BytesSent - before);
            }
        }

        foreach (PathLog log in new[] { _atClient, _atServer })
        {
            await UntilAsync(() => log.LifeOf(1).Count >= 2, "nothing was told");
            Assert.AreSequenceEqual([QuicPathChange.Added, QuicPathChange.Validated], log.LifeOf(1).Take(2));
        }
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(true)]
    [DataRow(false)]
    public async Task A_closed_path_is_gone_on_both_sides_and_its_socket_is_given_back(bool byClient)
    {
        await using LoopbackPair pair = await ConnectAsync();
        QuicPath opened = await pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel);
        await UntilAsync(() => pair.Server.GetPaths().Any(path => path is { PathId: 1, IsValidated: true }), "the server has no path");
        await TransferAsync(pair.Client, pair.Server, 300_000);

        await (byClient ? pair.Client : pair.Server).ClosePathAsync(opened.PathId, 0x3e76, Cancel);
        await UntilAsync(() => pair.Client.GetPaths().Count == 1 && pair.Server.GetPaths().Count == 1, "a path that was closed is still there");
        await UntilAsync(() => pair.Client.Host.Sockets.Length == 1, "its socket is still open");
        foreach (PathLog log in new[] { _atClient, _atServer })
        {
            await LivesAsync(log, [QuicPathChange.Added, QuicPathChange.Validated, QuicPathChange.Abandoned, QuicPathChange.Removed]);
            (QuicPath path, _) = log.Events.Single(one => one is { Path.PathId: 1, Change: QuicPathChange.Abandoned });
            Assert.AreEqual(QuicPathState.Abandoned, path.State);
            Assert.AreEqual(0x3e76, path.ErrorCode);
            Assert.IsFalse(path.IsActive);
            Assert.IsGreaterThan(0, path.PacketsReceived, "the snapshot has the counters of the path");
        }

        await TransferAsync(pair.Client, pair.Server, 300_000);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task The_first_path_can_be_closed_and_the_connection_has_the_addresses_of_the_second()
    {
        await using LoopbackPair pair = await ConnectAsync(
            client => client with { LocalEndPoint = At(1) });
        QuicPath opened = await pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel);
        await UntilAsync(() => pair.Server.GetPaths().Any(path => path is { PathId: 1, IsValidated: true }), "the server has no path");
        await pair.Client.ClosePathAsync(0, cancellationToken: Cancel);

        Assert.AreEqual(opened.LocalEndPoint, pair.Client.LocalEndPoint);
        await UntilAsync(() => pair.Server.RemoteEndPoint.Equals(opened.LocalEndPoint), "the server has another address of the client");
        await UntilAsync(() => pair.Client.Host.Sockets.Length == 1, "the first socket is still open");
        await TransferAsync(pair.Client, pair.Server, 300_000);
        await TransferAsync(pair.Server, pair.Client, 300_000);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_backup_carries_no_data_until_it_is_available_again()
    {
        await using LoopbackPair pair = await ConnectAsync();
        QuicPath opened = await pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel);
        pair.Client.SetPathStatus(opened.PathId, QuicPathStatus.Backup);
        await UntilAsync(() => PathOf(pair.Server, 1) is { PeerStatus: QuicPathStatus.Backup, State: QuicPathState.Backup }, "the server was not told");
        Assert.AreEqual(QuicPathStatus.Backup, PathOf(pair.Client, 1).LocalStatus);
        Assert.AreEqual(QuicPathStatus.Available, PathOf(pair.Client, 1).PeerStatus);

        long sent = PathOf(pair.Server, 1).BytesSent;
        await TransferAsync(pair.Server, pair.Client, 3_000_000);

        // What the path itself needs goes by it: acknowledgements, and probes of its size up to 64 KiB.
        Assert.IsLessThan(500_000L, PathOf(pair.Server, 1).BytesSent - sent);

        await SpareAsync(pair, 0);
        Assert.AreEqual(QuicPathState.Available, PathOf(pair.Server, 1).State);
        sent = PathOf(pair.Server, 1).BytesSent;
        await TransferAsync(pair.Server, pair.Client, 3_000_000);
        Assert.IsGreaterThan(2_000_000L, PathOf(pair.Server, 1).BytesSent - sent);
        await LivesAsync(_atServer, [QuicPathChange.Added, QuicPathChange.Validated, QuicPathChange.StatusChanged, QuicPathChange.StatusChanged]);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(1, 4)]
    [DataRow(4, 1)]
    public async Task Without_the_word_of_both_sides_there_is_one_path(int client, int server)
    {
        await using LoopbackPair pair = await ConnectAsync(
            options => options with { MaxPaths = client }, options => options with { MaxPaths = server });
        Assert.IsFalse(pair.Client.IsMultipathNegotiated);
        Assert.IsFalse(pair.Server.IsMultipathNegotiated);
        await MultipathPair.FailsAsync(QuicError.MultipathNotNegotiated, () => pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel).AsTask());
        await MultipathPair.FailsAsync(QuicError.MultipathNotNegotiated, () => pair.Client.ClosePathAsync(0, cancellationToken: Cancel).AsTask());
        Assert.AreEqual(
            QuicError.MultipathNotNegotiated,
            Assert.ThrowsExactly<QuicException>(() => pair.Client.SetPathStatus(0, QuicPathStatus.Backup)).QuicError);
        Assert.AreEqual(1, pair.Client.Host.Sockets.Length);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_path_too_many_is_refused_until_one_is_closed()
    {
        await using LoopbackPair pair = await ConnectAsync(server: options => options with { MaxPaths = 2 });
        QuicPath opened = await pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel);
        await MultipathPair.FailsAsync(QuicError.PathLimitReached, () => pair.Client.OpenPathAsync(At(3), cancellationToken: Cancel).AsTask());
        Assert.AreEqual(2, pair.Client.Host.Sockets.Length, "a path that was refused keeps a socket");

        await pair.Client.ClosePathAsync(opened.PathId, cancellationToken: Cancel);
        QuicPath? next = null;
        await UntilAsync(
            async () =>
            {
                try
                {
                    next = await pair.Client.OpenPathAsync(At(3), cancellationToken: Cancel);
                }
                catch (QuicException error) when (error.QuicError is QuicError.PathLimitReached or QuicError.NoPathConnectionId)
                {
                    // The server goes by its own probe timeouts, which a busy machine makes long.
                }

                return next is not null;
            },
            "the server allows no other path");
        Assert.AreEqual(2, next!.PathId);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task What_cannot_be_done_says_why()
    {
        await using LoopbackPair pair = await ConnectAsync();
        await Assert.ThrowsExactlyAsync<InvalidOperationException>(() => pair.Server.OpenPathAsync(At(2), cancellationToken: Cancel).AsTask());
        await Assert.ThrowsExactlyAsync<ArgumentException>(
            () => pair.Client.OpenPathAsync(new IPEndPoint(IPAddress.IPv6Loopback, 0), cancellationToken: Cancel).AsTask());
        await Assert.ThrowsExactlyAsync<SocketException>(
            () => pair.Client.OpenPathAsync(new IPEndPoint(IPAddress.Parse("203.0.113.1"), 0), cancellationToken: Cancel).AsTask());
        await MultipathPair.FailsAsync(QuicError.NoViablePath, () => pair.Client.ClosePathAsync(0, cancellationToken: Cancel).AsTask());
        await MultipathPair.FailsAsync(QuicError.PathNotFound, () => pair.Client.ClosePathAsync(1, cancellationToken: Cancel).AsTask());
        await MultipathPair.FailsAsync(QuicError.PathNotFound, () => pair.Client.ClosePathAsync(uint.MaxValue, cancellationToken: Cancel).AsTask());
        await Assert.ThrowsExactlyAsync<ArgumentOutOfRangeException>(
            () => pair.Client.ClosePathAsync(uint.MaxValue + 1L, cancellationToken: Cancel).AsTask());
        await Assert.ThrowsExactlyAsync<ArgumentOutOfRangeException>(() => pair.Client.ClosePathAsync(0, 1L << 62, Cancel).AsTask());
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => pair.Client.SetPathStatus(-1, QuicPathStatus.Backup));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => pair.Client.SetPathStatus(0, (QuicPathStatus)2));
        Assert.AreEqual(
            QuicError.PathNotFound, Assert.ThrowsExactly<QuicException>(() => pair.Client.SetPathStatus(1, QuicPathStatus.Backup)).QuicError);
        Assert.AreEqual(1, pair.Client.Host.Sockets.Length);
        await pair.Client.CloseAsync(0, cancellationToken: Cancel);
        await MultipathPair.FailsAsync(QuicError.OperationAborted, () => pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel).AsTask());
        await MultipathPair.FailsAsync(QuicError.OperationAborted, () => pair.Client.ClosePathAsync(0, cancellationToken: Cancel).AsTask());
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(9)]
    public async Task A_number_of_paths_out_of_range_is_refused(int number)
    {
        ArgumentException error = await Assert.ThrowsExactlyAsync<ArgumentException>(() => QuicConnection.ConnectAsync(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = At(1),
                ClientAuthenticationOptions = LoopbackPair.ClientAuthentication(),
                MaxPaths = number,
            },
            Cancel).AsTask());
        Assert.Contains("MaxPaths", error.Message);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_path_to_where_nobody_answers_fails_alone()
    {
        await using LoopbackPair pair = await ConnectAsync();
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        nobody.Bind(At(9));
        await MultipathPair.FailsAsync(
            QuicError.PathNotValidated, () => pair.Client.OpenPathAsync(At(2), (IPEndPoint)nobody.LocalEndPoint!, Cancel).AsTask());
        await UntilAsync(() => pair.Client.Host.Sockets.Length == 1, "the socket of a path that failed is still open");
        await LivesAsync(_atClient, [QuicPathChange.Added, QuicPathChange.Failed, QuicPathChange.Abandoned, QuicPathChange.Removed]);
        Assert.AreEqual(
            QuicPathState.Unreachable, _atClient.Events.Single(one => one is { Path.PathId: 1, Change: QuicPathChange.Failed }).Path.State);
        await TransferAsync(pair.Client, pair.Server, 300_000);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task A_path_that_nobody_waits_for_any_more_is_given_up()
    {
        await using LoopbackPair pair = await ConnectAsync();
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        nobody.Bind(At(9));
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Task<QuicPath> opening = pair.Client.OpenPathAsync(At(2), (IPEndPoint)nobody.LocalEndPoint!, impatience.Token).AsTask();
        await UntilAsync(() => _atClient.LifeOf(1).Count == 1, "the path was not begun");
        await impatience.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => opening);
        await UntilAsync(() => pair.Client.Host.Sockets.Length == 1, "the socket of a path that was given up is still open");
        await LivesAsync(_atClient, [QuicPathChange.Added, QuicPathChange.Abandoned, QuicPathChange.Removed]);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(true)]
    [DataRow(false)]
    public async Task The_death_of_one_paths_socket_loses_nothing(bool first)
    {
        await using LoopbackPair pair = await ConnectAsync(client => client with { LocalEndPoint = At(1) });
        QuicPath opened = await pair.Client.OpenPathAsync(At(2), cancellationToken: Cancel);
        await TransferAsync(pair.Client, pair.Server, 1_000_000);
        IPEndPoint dying = first ? PathOf(pair.Client, 0).LocalEndPoint : opened.LocalEndPoint;

        Task transfer = TransferAsync(pair.Client, pair.Server, 5_000_000);
        pair.Client.Host.ReturnSocket(NetworkAddress.FromEndPoint(dying));
        await transfer.WaitAsync(Cancel);
        await TransferAsync(pair.Server, pair.Client, 1_000_000);
        await TransferAsync(pair.Client, pair.Server, 1_000_000);
        Assert.IsFalse(pair.Client.Closed.IsCompleted);
        await UntilAsync(
            async () =>
            {
                // A path is judged by what it owes: it is told from a good one once something was sent on it.
                await TransferAsync(pair.Client, pair.Server, 100_000);
                return PathOf(pair.Client, first ? 0 : 1).State is QuicPathState.Failing;
            },
            "a path that sends nothing is taken for a good one");
        Assert.AreEqual(QuicPathState.Available, PathOf(pair.Client, first ? 1 : 0).State);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task Paths_that_come_and_go_need_a_handful_of_sockets()
    {
        await using LoopbackPair pair = await ConnectAsync();
        for (int round = 1; round <= 12; round++)
        {
            QuicPath opened = await pair.Client.OpenPathAsync(At(2 + (round % 3)), cancellationToken: Cancel);
            Assert.AreEqual(round, opened.PathId);
            await TransferAsync(pair.Client, pair.Server, 50_000);
            await pair.Client.ClosePathAsync(round, cancellationToken: Cancel);
            Assert.IsLessThanOrEqualTo(2, pair.Client.Host.Sockets.Length);
        }

        await UntilAsync(() => pair.Client.Host.Sockets.Length == 1, "the sockets of closed paths are still open");
    }

    private static IPEndPoint At(int host) => new(IPAddress.Parse($"127.0.0.{host}"), 0);

    private static QuicPath PathOf(QuicConnection connection, long id) => connection.GetPaths().Single(path => path.PathId == id);

    /// <summary>Has one of the two paths do all the work.</summary>
    private async Task SpareAsync(LoopbackPair pair, long spared)
    {
        pair.Client.SetPathStatus(1 - spared, QuicPathStatus.Available);
        pair.Client.SetPathStatus(spared, QuicPathStatus.Backup);
        await UntilAsync(
            () => PathOf(pair.Server, spared).State == QuicPathState.Backup && PathOf(pair.Server, 1 - spared).State == QuicPathState.Available,
            "the server was not told");
    }

    /// <summary>Events follow what happened; all of these are told of path 1, and nothing else.</summary>
    private async Task LivesAsync(PathLog log, QuicPathChange[] life)
    {
        await UntilAsync(() => log.LifeOf(1).Count >= life.Length, $"told was only {string.Join(", ", log.LifeOf(1))}");
        Assert.AreSequenceEqual(life, log.LifeOf(1));
    }

    private Task<LoopbackPair> ConnectAsync(
        Func<QuicClientConnectionOptions, QuicClientConnectionOptions>? client = null,
        Func<QuicServerConnectionOptions, QuicServerConnectionOptions>? server = null) =>
        MultipathPair.ConnectAsync(Cancel, client, server, _atClient, _atServer);

    private async Task TransferAsync(QuicConnection from, QuicConnection to, int bytes)
    {
        byte[] data = RandomNumberGenerator.GetBytes(bytes);
        await using QuicStream outbound = await from.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
        Task writing = outbound.WriteAsync(data, completeWrites: true, Cancel).AsTask();
        await using QuicStream inbound = await to.AcceptInboundStreamAsync(Cancel);
        byte[] hash = await SHA256.HashDataAsync(inbound, Cancel);
        await writing;
        CollectionAssert.AreEqual(SHA256.HashData(data), hash);
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
