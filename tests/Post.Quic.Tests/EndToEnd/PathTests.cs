using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Post.Quic.Tests.Links;
using Post.Sockets;
using Post.Sockets.Transport;
using Post.Tests;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>Paths, and what both ends see when the client's address changes in the middle of a transfer.</summary>
[TestClass]
public sealed class PathTests : EndToEndTests
{
    private const int Size = 6_000_000;

    /// <summary>A transfer of Size bytes takes one and a half seconds: whatever happens in it happens in its middle.</summary>
    private static readonly PairSetup Throttled = new() { Link = new LinkShape { BitsPerSecond = 32_000_000 } };

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Each_side_sees_the_path_and_what_was_measured_on_it(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        (await SendAsync(pair.Client, pair.Server, Bytes(300_000))).EnsureAcked();

        PostPath ours = pair.Client.Paths.Single();
        PostPath theirs = pair.Server.Paths.Single();
        Assert.AreEqual(PostPathState.Active, ours.State);
        Assert.AreEqual(PostPathState.Active, theirs.State);
        Assert.AreEqual(pair.Listener.LocalEndPoints[0], ours.RemoteEndPoint);
        Assert.AreEqual(ours.LocalEndPoint, theirs.RemoteEndPoint);
        bool measures = pair.Client.Capabilities.HasFlag(TransportCapabilities.Statistics);
        if (measures)
        {
            // msquic's paths show the measurement before the last, and ask for a new one.
            await UntilAsync(() => pair.Client.Paths[0].SmoothedRtt is not null && pair.Client.Paths[0].BytesSent > 300_000);
            Assert.IsGreaterThanOrEqualTo(1200, pair.Client.Paths[0].Mtu!.Value);
            Assert.IsGreaterThan(300_000, pair.Client.Statistics.BytesSent!.Value);
        }
        else
        {
            Assert.IsNull(ours.SmoothedRtt);
            Assert.AreEqual(default, pair.Client.Statistics);
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Events_of_300_quick_moves_come_in_order_each_with_the_paths_of_its_moment()
    {
        await using PostPair pair = await ConnectAsync(TestEngine.Managed, TestEngine.Managed);
        var ours = new PathStory(pair.Client);
        var theirs = new PathStory(pair.Server);
        for (int i = 0; i < 300; i++)
        {
            await pair.Client.MigrateAsync(cancellationToken: Cancel);
        }

        (await SendAsync(pair.Client, pair.Server, Bytes(10_000))).EnsureAcked();
        await UntilQuietAsync(() => ours.Count + theirs.Count);
        ours.Check(900);
        theirs.Check(300);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_client_that_moves_in_mid_transfer_raises_paths_changed_on_both_sides(TestEngine client, TestEngine server)
    {
        // The relay would hide the client's new port from the server, so the rate is the transfer's own.
        await using PostPair pair = await ConnectAsync(client, server);
        var ours = new PathLog(pair.Client);
        var theirs = new PathLog(pair.Server);
        var before = (IPEndPoint)pair.Client.LocalEndPoint!;
        if (!pair.Client.Capabilities.HasFlag(TransportCapabilities.Migration))
        {
            PostException cannot = await Assert.ThrowsExactlyAsync<PostException>(
                () => pair.Client.MigrateAsync(cancellationToken: Cancel).AsTask());
            Assert.AreEqual(PostErrorReason.NotSupported, cannot.Reason);
            (await SendAsync(pair.Client, pair.Server, Bytes(10))).EnsureAcked();
            Assert.IsTrue(ours.IsEmpty);
            return;
        }

        byte[] up = Bytes(Size);
        byte[] down = Bytes(Size);
        var halfway = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<Receipt> uploading = SendSlowlyAsync(pair.Client, pair.Server, up, halfway);
        Task<Receipt> downloading = SendSlowlyAsync(pair.Server, pair.Client, down, new TaskCompletionSource());
        await halfway.Task.WaitAsync(Cancel);

        await pair.Client.MigrateAsync(cancellationToken: Cancel);
        Assert.IsFalse(uploading.IsCompleted, "The transfer was over before the move.");
        (await uploading).EnsureAcked();
        (await downloading).EnsureAcked();

        PathsChanged moved = await ours.WaitForAsync(PostPathChange.Migrated, Cancel);
        PathsChanged followed = await theirs.WaitForAsync(PostPathChange.PeerMoved, Cancel);
        var after = (IPEndPoint)pair.Client.LocalEndPoint!;
        Assert.AreNotEqual(before.Port, after.Port);
        Assert.AreEqual(after.Port, ((IPEndPoint)moved.Path.LocalEndPoint!).Port);
        Assert.AreEqual(after.Port, ((IPEndPoint)followed.Path.RemoteEndPoint!).Port);
        Assert.AreEqual(PostPathState.Active, moved.Path.State);
        Assert.AreEqual(PostPathState.Active, followed.Path.State);
        Assert.IsFalse(ours.Has(PostPathChange.PeerMoved), "The client says that the server moved.");
        Assert.IsFalse(theirs.Has(PostPathChange.Migrated), "The server says that it moved itself.");
        Assert.AreSame(pair.Client, moved.Association);
        Assert.IsNotEmpty(moved.Paths);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_nat_that_rebinds_in_mid_transfer_moves_the_client_in_the_servers_eyes_only(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server, Throttled);
        var ours = new PathLog(pair.Client);
        var theirs = new PathLog(pair.Server);
        Assert.AreEqual(pair.Relay!.OutsideEndPoint, pair.Server.RemoteEndPoint);
        byte[] up = Bytes(Size);
        Task<Receipt> sending = SendAsync(pair.Client, pair.Server, up);
        await UntilAsync(() => pair.Relay.Up.ForwardedBytes > Size / 4);

        pair.Relay.Rebind();
        PathsChanged followed = await theirs.WaitForAsync(PostPathChange.PeerMoved, Cancel);
        Assert.IsFalse(sending.IsCompleted, "The transfer was over before the server saw the change.");
        (await sending).EnsureAcked();

        Assert.AreEqual(pair.Relay.OutsideEndPoint, followed.Path.RemoteEndPoint);
        Assert.AreEqual(pair.Relay.OutsideEndPoint, pair.Server.RemoteEndPoint);
        Assert.IsFalse(theirs.Has(PostPathChange.Migrated), "The server says that it moved itself.");

        // Nothing has changed where the client can see it: the server answers from the same address to the same address.
        Assert.IsFalse(ours.Has(PostPathChange.Migrated), "The client says that it moved.");
        Assert.IsFalse(ours.Has(PostPathChange.PeerMoved), "The client says that the server moved.");
        Assert.AreEqual(pair.Relay.EndPoint, pair.Client.RemoteEndPoint);
        (await SendAsync(pair.Server, pair.Client, Bytes(1000))).EnsureAcked();
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_move_to_an_address_that_is_not_ours_fails_and_the_association_stays(TestEngine client, TestEngine server)
    {
        await using PostPair pair = await ConnectAsync(client, server);
        (await SendAsync(pair.Server, pair.Client, Bytes(10))).EnsureAcked();
        EndPoint? before = pair.Client.LocalEndPoint;

        // RFC 5737: a documentation address, which no machine has.
        PostException refused = await Assert.ThrowsExactlyAsync<PostException>(
            () => pair.Client.MigrateAsync(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0), Cancel).AsTask());

        Assert.AreEqual(
            pair.Client.Capabilities.HasFlag(TransportCapabilities.Migration) ? PostErrorReason.Transport : PostErrorReason.NotSupported,
            refused.Reason);
        Assert.AreEqual(before, pair.Client.LocalEndPoint);
        (await SendAsync(pair.Client, pair.Server, Bytes(10))).EnsureAcked();
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_client_that_moves_again_and_again_while_both_send_loses_nothing(TestEngine client, TestEngine server)
    {
        const int Moves = 12;
        await using PostPair pair = await ConnectAsync(client, server);
        if (!pair.Client.Capabilities.HasFlag(TransportCapabilities.Migration))
        {
            Assert.Inconclusive("This client cannot move.");
        }

        var ports = new HashSet<int>();
        for (int i = 0; i < Moves; i++)
        {
            // Objects follow each other in both directions until it has moved.
            var moved = new TaskCompletionSource();
            Task up = SendUntilAsync(pair.Client, pair.Server, moved.Task);
            Task down = SendUntilAsync(pair.Server, pair.Client, moved.Task);
            await pair.Client.MigrateAsync(cancellationToken: Cancel);
            ports.Add(((IPEndPoint)pair.Client.LocalEndPoint!).Port);
            moved.SetResult();
            await up;
            await down;
            await UntilAsync(() => ports.Contains(((IPEndPoint)pair.Server.RemoteEndPoint!).Port));
        }

        Assert.IsGreaterThan(Moves / 2, ports.Count, "It came back to the same ports.");
    }

    /// <summary>Sends, takes at the other side, and compares the hashes.</summary>
    private async Task<Receipt> SendAsync(Association from, Association to, byte[] bytes)
    {
        SentObject sent = from.Send(bytes);
        byte[] received = await TakeAsync(to);
        CollectionAssert.AreEqual(SHA256.HashData(bytes), SHA256.HashData(received));
        return await sent.Completion.WaitAsync(Cancel);
    }

    /// <summary>Sends one object after the other, the last one when the end has come.</summary>
    private async Task SendUntilAsync(Association from, Association to, Task end)
    {
        bool isLast;
        do
        {
            isLast = end.IsCompleted;
            (await SendAsync(from, to, Bytes(200_000))).EnsureAcked();
        }
        while (!isLast);
    }

    /// <summary>The same with an object that is written bit by bit, and goes on for a while after its middle.</summary>
    private async Task<Receipt> SendSlowlyAsync(Association from, Association to, byte[] bytes, TaskCompletionSource halfway)
    {
        const int Piece = 100_000;
        ObjectWriter writer = from.Compose();
        Task<byte[]> taking = TakeAsync(to);
        for (int at = 0; at < bytes.Length; at += Piece)
        {
            await writer.WriteAsync(bytes.AsMemory(at, Piece), Cancel);
            if (at >= bytes.Length / 2)
            {
                halfway.TrySetResult();
                await Task.Delay(10, Cancel);
            }
        }

        await writer.CompleteAsync();
        CollectionAssert.AreEqual(SHA256.HashData(bytes), SHA256.HashData(await taking));
        return await writer.Object.Completion.WaitAsync(Cancel);
    }

    /// <summary>Keeps the changes of one side's paths.</summary>
    private sealed class PathLog
    {
        private readonly ConcurrentQueue<PathsChanged> _changes = new();

        public PathLog(Association association) => association.Register<PathsChanged>(_changes.Enqueue);

        /// <summary>But for news of measurements.</summary>
        public bool IsEmpty => _changes.All(changed => changed.Change == PostPathChange.StateChanged);

        public bool Has(PostPathChange change) => _changes.Any(changed => changed.Change == change);

        public async Task<PathsChanged> WaitForAsync(PostPathChange change, CancellationToken cancellationToken)
        {
            while (!Has(change))
            {
                await Task.Delay(5, cancellationToken);
            }

            return _changes.Last(changed => changed.Change == change);
        }
    }
}
