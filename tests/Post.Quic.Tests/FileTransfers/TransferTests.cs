using System.Collections.Concurrent;
using System.Net;
using FileTransfer;
using FileTransfer.Client;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using FileTransfer.Storage;
using Post.Quic.Tests.EndToEnd;
using Post.Quic.Tests.Links;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>The file transfer over loopback, on each pairing of engines.</summary>
[TestClass]
public sealed class TransferTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Files_are_fetched_once_and_only_what_changed_is_fetched_again(TestEngine client, TestEngine server)
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/large.bin", 3_000_001, seed: 1);
        directory.WriteRandom("served/sub/small.bin", 10, seed: 2);
        directory.WriteRandom("served/empty", 0, seed: 3);
        await using TransferWorld world = await TransferWorld.StartAsync(client, server, directory, isWritable: false, Cancel);

        TransferProgress first = await world.GetAsync(Cancel);
        directory.WriteRandom("served/sub/small.bin", 20, seed: 4);
        TransferProgress second = await world.GetAsync(Cancel);

        Assert.AreEqual(3_000_011, first.Moved);
        Assert.AreEqual(20, second.Moved);
        world.AssertSame("large.bin", "sub/small.bin", "empty");
        Assert.IsFalse(Directory.Exists(directory.Combine("fetched/" + RelativePath.StateDirectory)));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task After_an_abrupt_cut_only_the_rest_moves_and_no_half_file_bears_its_name(TestEngine client, TestEngine server)
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/large.bin", 8_000_000, seed: 1);

        // More than a second for the rest: however busy the machine, it is not through before it is cut.
        await using TransferWorld world = await TransferWorld.StartAsync(
            client, server, directory, isWritable: false, Cancel, new LinkShape { BitsPerSecond = 40_000_000 });
        var cut = new TransferProgress();

        await using (FileClient files = await world.ConnectAsync(Cancel))
        using (var destination = new DestinationTree(world.Fetched))
        {
            Task<TransferResult> fetching = files.GetAsync(new GetRequest([]), destination, new DestinationOptions(), cut, Cancel);
            while (cut.Moved < 2_000_000 && !fetching.IsCompleted)
            {
                await Task.Delay(5, Cancel);
            }

            files.Association.Abort();
            TransferException lost = await Assert.ThrowsAsync<TransferException>(() => fetching);
            Assert.AreEqual(ExitCode.Interrupted, lost.Code);
        }

        Assert.IsFalse(File.Exists(directory.Combine("fetched/large.bin")));
        TransferProgress rest = await world.GetAsync(Cancel);

        Assert.IsGreaterThanOrEqualTo(2_000_000, rest.Here);
        Assert.AreEqual(8_000_000, rest.Here + rest.Moved);
        world.AssertSame("large.bin");
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_transfer_goes_on_when_the_client_moves_in_its_middle_and_both_sides_see_it(TestEngine client, TestEngine server)
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/large.bin", 48_000_000, seed: 1);
        await using TransferWorld world = await TransferWorld.StartAsync(client, server, directory, isWritable: false, Cancel);
        await using FileClient files = await world.ConnectAsync(Cancel);
        EndPoint? before = files.Association.LocalEndPoint;
        bool canMove = files.Association.Capabilities.HasFlag(TransportCapabilities.Migration);
        var changes = new ConcurrentBag<PostPathChange>();
        using IDisposable registration = files.Association.Register<PathsChanged>(changed => changes.Add(changed.Change));
        using var destination = new DestinationTree(world.Fetched);
        var progress = new TransferProgress();

        Task<TransferResult> fetching = files.GetAsync(new GetRequest([]), destination, new DestinationOptions(), progress, Cancel);
        await UntilAsync(() => progress.Moved > 2_000_000);
        if (canMove)
        {
            await files.Association.MigrateAsync(cancellationToken: Cancel);
        }
        else
        {
            PostException stays = await Assert.ThrowsExactlyAsync<PostException>(
                () => files.Association.MigrateAsync(cancellationToken: Cancel).AsTask());
            Assert.AreEqual(PostErrorReason.NotSupported, stays.Reason);
        }

        Assert.IsFalse(fetching.IsCompleted, "The transfer was over before the move.");
        Assert.IsEmpty((await fetching).Failed);

        world.AssertSame("large.bin");
        Assert.AreEqual(canMove, !Equals(before, files.Association.LocalEndPoint));
        if (canMove)
        {
            await UntilAsync(() => changes.Contains(PostPathChange.Migrated) && world.Notes.Any(note => note.Contains("PeerMoved", StringComparison.Ordinal)));
            Assert.DoesNotContain(PostPathChange.PeerMoved, changes);
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_transfer_goes_on_when_a_nat_rebinds_in_its_middle_and_the_server_sees_it(TestEngine client, TestEngine server)
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("mine/large.bin", 8_000_000, seed: 1);
        await using TransferWorld world = await TransferWorld.StartAsync(
            client, server, directory, isWritable: true, Cancel, new LinkShape { BitsPerSecond = 48_000_000 });
        await using FileClient files = await world.ConnectAsync(Cancel);

        // Upwards: a client that only waits would not be found again until it speaks.
        Task<TransferResult> putting = TransferWorld.PutAsync(files, directory.Combine("mine/large.bin"), new TransferProgress(), Cancel);
        await UntilAsync(() => world.Relay!.Up.ForwardedBytes > 2_000_000);
        world.Relay!.Rebind();
        Assert.IsFalse(putting.IsCompleted, "The transfer was over before the change.");
        Assert.IsEmpty((await putting).Failed);

        CollectionAssert.AreEqual(
            await File.ReadAllBytesAsync(directory.Combine("mine/large.bin"), Cancel),
            await File.ReadAllBytesAsync(directory.Combine("served/large.bin"), Cancel));
        await UntilAsync(() => world.Notes.Any(
            note => note.Contains("PeerMoved", StringComparison.Ordinal) && note.Contains($":{world.Relay.OutsideEndPoint.Port}:", StringComparison.Ordinal)));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_writable_server_takes_files_and_one_that_is_not_refuses_them(TestEngine client, TestEngine server)
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/there", 10, seed: 1);
        directory.WriteRandom("mine/new/file.bin", 600_000, seed: 2);
        string mine = directory.Combine("mine/new");
        await using (TransferWorld world = await TransferWorld.StartAsync(client, server, directory, isWritable: true, Cancel))
        {
            await using FileClient files = await world.ConnectAsync(Cancel);
            var progress = new TransferProgress();
            Assert.IsEmpty((await TransferWorld.PutAsync(files, mine, progress, Cancel)).Failed);
            Assert.AreEqual(600_000, progress.Moved);
            var again = new TransferProgress();
            Assert.IsEmpty((await TransferWorld.PutAsync(files, mine, again, Cancel)).Failed);
            Assert.AreEqual(0, again.Moved);
        }

        CollectionAssert.AreEqual(File.ReadAllBytes(directory.Combine("mine/new/file.bin")), File.ReadAllBytes(directory.Combine("served/new/file.bin")));
        await using TransferWorld readOnly = await TransferWorld.StartAsync(client, server, directory, isWritable: false, Cancel);
        await using FileClient refused = await readOnly.ConnectAsync(Cancel);
        TransferException failure = await Assert.ThrowsAsync<TransferException>(
            () => TransferWorld.PutAsync(refused, mine, new TransferProgress(), Cancel));
        Assert.AreEqual(ExitCode.Refused, failure.Code);
        StringAssert.Contains(failure.Message, "--writable");
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_growing_file_is_followed(TestEngine client, TestEngine server)
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory.Combine("served"));
        string log = directory.Combine("served/log");
        await File.WriteAllTextAsync(log, "one\n", Cancel);
        await using TransferWorld world = await TransferWorld.StartAsync(client, server, directory, isWritable: false, Cancel);
        await using FileClient files = await world.ConnectAsync(Cancel);
        var pipe = new System.IO.Pipelines.Pipe();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        Task following = files.TailAsync("log", 0, follow: true, pipe.Writer.AsStream(), enough.Token);
        using var reader = new StreamReader(pipe.Reader.AsStream());
        Assert.AreEqual("one", await reader.ReadLineAsync(Cancel));
        await File.AppendAllTextAsync(log, "two\n", Cancel);
        Assert.AreEqual("two", await reader.ReadLineAsync(Cancel));
        await enough.CancelAsync();

        await Assert.ThrowsAsync<OperationCanceledException>(() => following);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task Files_of_several_manifests_are_all_listed_fetched_and_put(TestEngine client, TestEngine server)
    {
        const int Count = (2 * TransferLimits.MaxListingEntries) + 1;
        using var directory = new TempDirectory();
        for (int number = 0; number < Count; number++)
        {
            directory.WriteRandom($"served/f{number}", number % 2, seed: number);
        }

        await using TransferWorld world = await TransferWorld.StartAsync(client, server, directory, isWritable: true, Cancel);
        await using FileClient files = await world.ConnectAsync(Cancel);
        for (int round = 0; round < 8; round++)
        {
            int listed = 0;
            ListingEnd end = await files.ListAsync(new GetRequest([]), listing => listed += listing.Entries.Count, Cancel);
            Assert.AreEqual(Count, listed);
            Assert.AreEqual(Count, end.Entries);
        }

        TransferProgress fetched = await world.GetAsync(Cancel);
        Assert.AreEqual(Count, fetched.FilesDone);
        Assert.HasCount(Count, Directory.GetFiles(world.Fetched));
        Assert.IsEmpty((await TransferWorld.PutAsync(files, world.Fetched, new TransferProgress(), Cancel)).Failed);
        Assert.HasCount(Count, Directory.GetFiles(directory.Combine("served/fetched")));
    }
}
