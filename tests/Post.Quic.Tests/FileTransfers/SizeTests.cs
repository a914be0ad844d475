using FileTransfer;
using FileTransfer.Client;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using Post.Quic.Tests.EndToEnd;
using Post.Quic.Tests.Links;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>ByteSizes around every constant of the protocol: what is asked for arrives whole.</summary>
[TestClass]
public sealed class SizeTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Files_around_the_sizes_of_batches_and_chunks_arrive()
    {
        using var directory = new TempDirectory();
        int number = 0;
        foreach (int size in new[] { TransferLimits.SmallFileSize, TransferLimits.ChunkSize, 2 * TransferLimits.ChunkSize, TransferLimits.BatchSize })
        {
            foreach (int more in new[] { -1, 0, 1 })
            {
                directory.WriteRandom($"served/{size}{more:+0;-0;0}", size + more, seed: number++);
            }
        }

        // More than fill one batch by their bytes.
        for (int one = 0; one <= TransferLimits.BatchSize / TransferLimits.SmallFileSize; one++)
        {
            directory.WriteRandom($"served/full{one}", TransferLimits.SmallFileSize, seed: number++);
        }

        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
        TransferProgress progress = await world.GetAsync(Cancel);

        string[] names = [.. Directory.GetFiles(world.Served).Select(file => Path.GetFileName(file)!)];
        Assert.AreEqual(names.Length, progress.FilesDone);
        world.AssertSame(names);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Many_files_of_two_chunks_may_be_under_way_at_a_time_and_lose_packets()
    {
        using var directory = new TempDirectory();
        for (int number = 0; number < 50; number++)
        {
            directory.WriteRandom($"served/f{number}", TransferLimits.ChunkSize + 1, seed: number);
        }

        await using TransferWorld world = await TransferWorld.StartAsync(
            directory, Cancel, new LinkShape { BitsPerSecond = 80_000_000, Loss = 0.01 });
        TransferProgress progress = await world.GetAsync(Cancel);

        Assert.AreEqual(50, progress.FilesDone);
        world.AssertSame([.. Enumerable.Range(0, 50).Select(number => $"f{number}")]);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task More_files_than_one_batch_and_all_pages_ahead_can_hold_are_fetched_and_put()
    {
        const int Count = (TransferLimits.MaxListingsAhead * TransferLimits.MaxListingEntries) + TransferLimits.MaxBatchFiles + 1;
        using var directory = new TempDirectory();
        for (int number = 0; number < Count; number++)
        {
            string path = directory.Combine($"served/d{number % 3}/f{number}");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using FileStream made = File.Create(path);
        }

        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
        TransferProgress fetched = await world.GetAsync(Cancel);
        TransferProgress again = await world.GetAsync(Cancel);
        await using FileClient files = await world.ConnectAsync(Cancel);
        var put = new TransferProgress();
        Assert.IsEmpty((await TransferWorld.PutAsync(files, world.Fetched, put, Cancel)).Failed);

        Assert.AreEqual(Count, fetched.FilesDone);
        Assert.AreEqual(0, fetched.FilesHere);
        Assert.AreEqual(Count, again.FilesHere);
        Assert.AreEqual(Count, put.FilesDone);
        Assert.HasCount(Count, Directory.GetFiles(directory.Combine("served/fetched"), "*", SearchOption.AllDirectories));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public async Task Listings_of_long_names_are_split_by_their_bytes()
    {
        using var directory = new TempDirectory();
        string parent = string.Join('/', Enumerable.Repeat(new string('漢', 80), 4));
        int count = (4 * TransferLimits.MaxListingBytes / 1200) + 1;
        for (int number = 0; number < count; number++)
        {
            directory.WriteRandom($"served/{parent}/{new string('字', 75)}{number}", 1, seed: number);
        }

        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
        await using FileClient files = await world.ConnectAsync(Cancel);
        var pages = new List<Listing>();
        await files.ListAsync(new GetRequest([]), pages.Add, Cancel);
        TransferProgress progress = await world.GetAsync(Cancel);

        Assert.IsGreaterThanOrEqualTo(4, pages.Count);
        Assert.IsTrue(pages.All(page => page.Entries.Count < TransferLimits.MaxListingEntries));
        Assert.AreEqual(count, progress.FilesDone);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task What_else_lies_in_the_destination_is_not_told_to_the_server()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/one", 10, seed: 1);
        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel, new LinkShape { BitsPerSecond = 100_000_000 });
        await world.TryGetAsync(Cancel, to: directory.Combine("empty"));
        long alone = world.Relay!.Up.ForwardedBytes;
        for (int number = 0; number < 3000; number++)
        {
            directory.WriteRandom($"full/mail/{number}-{new string('m', 60)}", 1, seed: number);
        }

        await world.TryGetAsync(Cancel, to: directory.Combine("full"));

        Assert.IsLessThan(alone + 50_000, world.Relay.Up.ForwardedBytes - alone);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_checksum_finds_what_size_and_time_do_not_show()
    {
        using var directory = new TempDirectory();
        string source = directory.WriteRandom("served/file", 1000, seed: 1);
        string here = directory.WriteRandom("fetched/file", 1000, seed: 2);
        File.SetLastWriteTimeUtc(here, File.GetLastWriteTimeUtc(source));
        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);

        (_, TransferProgress byTime) = await world.TryGetAsync(Cancel);
        (_, TransferProgress bySum) = await world.TryGetAsync(Cancel, new GetRequest([], Checksum: true));

        Assert.AreEqual(1, byTime.FilesHere);
        Assert.AreEqual(0, bySum.FilesHere);
        world.AssertSame("file");
        File.SetLastWriteTimeUtc(here, DateTime.UnixEpoch);
        (_, TransferProgress touched) = await world.TryGetAsync(Cancel, new GetRequest([], Checksum: true));
        Assert.AreEqual(1, touched.FilesHere);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_dry_run_tells_what_would_be_transferred_and_changes_nothing()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/sub/file", 1000, seed: 1);
        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
        await using FileClient files = await world.ConnectAsync(Cancel);
        var planned = new List<string>();
        using var destination = new DestinationTree(world.Fetched, isDryRun: true);

        TransferResult result = await files.GetAsync(
            new GetRequest([]),
            destination,
            new DestinationOptions { OnPlanned = entry => planned.Add(entry.Path) },
            new TransferProgress(),
            Cancel);

        Assert.IsEmpty(result.Failed);
        CollectionAssert.AreEqual(new[] { "sub", "sub/file" }, planned);
        Assert.IsFalse(Path.Exists(world.Fetched));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Exclusions_and_depth_narrow_what_is_listed()
    {
        using var directory = new TempDirectory();
        foreach (string name in new[] { "a.txt", "b.log", "sub/c.txt", "sub/d.log", "sub/inner/e.txt", "cache/f.txt" })
        {
            directory.WriteRandom("served/" + name, 1, seed: 1);
        }

        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);

        CollectionAssert.AreEqual(
            new[] { "a.txt", "sub", "sub/c.txt", "sub/inner", "sub/inner/e.txt" },
            await ListAsync(new GetRequest([], ["*.log", "cache"])));
        CollectionAssert.AreEqual(
            new[] { "a.txt", "b.log", "cache", "cache/f.txt", "sub", "sub/c.txt", "sub/d.log" }, await ListAsync(new GetRequest([], ["sub/inner"])));
        CollectionAssert.AreEqual(new[] { "a.txt", "b.log", "cache", "sub" }, await ListAsync(new GetRequest([], Depth: 1)));
        CollectionAssert.AreEqual(
            new[] { "sub", "sub/c.txt", "sub/d.log", "sub/inner" }, await ListAsync(new GetRequest(["sub/", "sub/c.txt"], Depth: 1)));

        async Task<List<string>> ListAsync(GetRequest query)
        {
            await using FileClient files = await world.ConnectAsync(Cancel);
            var listed = new List<string>();
            await files.ListAsync(query, listing => listed.AddRange(listing.Entries.Select(entry => entry.Path)), Cancel);
            return listed;
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_limit_holds_the_sender_back()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/file", 1_000_000, seed: 1);
        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
        long began = System.Diagnostics.Stopwatch.GetTimestamp();

        await world.TryGetAsync(Cancel, new GetRequest([], BytesPerSecond: 500_000));

        Assert.IsGreaterThan(TimeSpan.FromSeconds(1.5), System.Diagnostics.Stopwatch.GetElapsedTime(began));
        world.AssertSame("file");
    }
}
