using FileTransfer;
using FileTransfer.Client;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using Post.Quic.Tests.EndToEnd;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>What arrives is what was there, or it is named.</summary>
[TestClass]
[OSCondition(OperatingSystems.Linux)]
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class FidelityTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Names_that_only_other_systems_refuse_and_deep_trees_arrive_both_ways()
    {
        using var directory = new TempDirectory();
        string deep = string.Join('/', Enumerable.Range(0, 120).Select(n => $"d{n}")) + "/deep";
        string[] names =
        [
            "10:30 notes.txt", "what?.md", "aux.c", "end.", " space ", "two\nlines", "-rf", "back\\slash", "a:b/inside",
            new('x', 240), new('x', 241), new('x', 255), deep,
        ];
        foreach (string name in names)
        {
            directory.WriteRandom("served/tree/" + name, 10, seed: name.Length);
        }

        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);

        TransferProgress fetched = await world.GetAsync(Cancel);
        await using FileClient files = await world.ConnectAsync(Cancel);
        Directory.Move(directory.Combine("fetched/tree"), directory.Combine("again"));
        TransferResult put = await TransferWorld.PutAsync(files, directory.Combine("again"), new TransferProgress(), Cancel);

        Assert.AreEqual(names.Length, fetched.FilesDone);
        Assert.IsEmpty(put.Failed);
        foreach (string name in names)
        {
            byte[] original = await File.ReadAllBytesAsync(directory.Combine("served/tree/" + name), Cancel);
            CollectionAssert.AreEqual(original, await File.ReadAllBytesAsync(directory.Combine("again/" + name), Cancel));
            CollectionAssert.AreEqual(original, await File.ReadAllBytesAsync(directory.Combine("served/again/" + name), Cancel));
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_name_that_is_no_utf8_and_files_of_other_kinds_are_named_and_the_rest_arrives()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/plain", 10, seed: 1);
        Shell.Run("printf x >\"$1/$(printf 'caf\\351.txt')\" && mkfifo \"$1/pipe\"", directory.Combine("served"));
        using var socket = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(directory.Combine("served/sock")));
        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);

        (TransferResult result, TransferProgress progress) = await world.TryGetAsync(Cancel);
        await using FileClient files = await world.ConnectAsync(Cancel);
        TransferException refused = await Assert.ThrowsExactlyAsync<TransferException>(
            () => files.TailAsync("pipe", 0, follow: false, Stream.Null, Cancel));

        Assert.AreEqual(1, progress.FilesDone);
        Assert.HasCount(3, result.Failed);
        StringAssert.Contains(result.Failed.Single(one => one.Path == "pipe").Reason, "named pipe");
        StringAssert.Contains(result.Failed.Single(one => one.Path == "sock").Reason, "socket");
        StringAssert.Contains(result.Failed.Single(one => one.Path.StartsWith("caf", StringComparison.Ordinal)).Reason, "UTF-8");
        StringAssert.Contains(refused.Message, "not a regular file");
        Assert.HasCount(1, Directory.GetFileSystemEntries(world.Fetched));

        // .NET cannot even delete it.
        Shell.Run("rm \"$1\"/caf*", directory.Combine("served"));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_directory_and_a_file_that_cannot_be_read_are_named_without_the_servers_path()
    {
        if (Environment.UserName == "root")
        {
            Assert.Inconclusive("Root may read everything; run the tests as another user.");
        }

        using var directory = new TempDirectory();
        directory.WriteRandom("served/plain", 10, seed: 1);
        directory.WriteRandom("served/secret/file", 10, seed: 2);
        directory.WriteRandom("served/private", 10, seed: 3);
        File.SetUnixFileMode(directory.Combine("served/secret"), UnixFileMode.None);
        File.SetUnixFileMode(directory.Combine("served/private"), UnixFileMode.None);
        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
        try
        {
            (TransferResult result, TransferProgress progress) = await world.TryGetAsync(Cancel);

            Assert.AreEqual(1, progress.FilesDone);
            CollectionAssert.AreEquivalent(new[] { "secret", "private" }, result.Failed.Select(one => one.Path).ToArray());
            Assert.IsFalse(result.Failed.Any(one => one.Reason.Contains(directory.Path, StringComparison.Ordinal)));
        }
        finally
        {
            File.SetUnixFileMode(directory.Combine("served/secret"), (UnixFileMode)0x1c0);
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(0x180, null, 0x180, DisplayName = "0600 stays 0600")]
    [DataRow(0x1ed, null, 0x1ed, DisplayName = "0755 stays 0755")]
    [DataRow(0x1a4, 0x180, 0x180, DisplayName = "0644 onto 0600 stays 0600")]
    [DataRow(0x1ed, 0x180, 0x1c0, DisplayName = "0755 onto 0600 becomes 0700")]
    [DataRow(0x180, 0x1a4, 0x180, DisplayName = "0600 onto 0644 becomes 0600")]
    public async Task Permissions_are_kept_and_never_widened(int source, int? before, int after)
    {
        foreach (int size in new[] { 100, TransferLimits.SmallFileSize + 1 })
        {
            using var directory = new TempDirectory();
            File.SetUnixFileMode(directory.WriteRandom("served/file", size, seed: 1), (UnixFileMode)source);
            if (before is { } mode)
            {
                File.SetUnixFileMode(directory.WriteRandom("fetched/file", 1, seed: 2), (UnixFileMode)mode);
            }

            await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
            await world.GetAsync(Cancel);

            Assert.AreEqual((UnixFileMode)after, File.GetUnixFileMode(directory.Combine("fetched/file")), $"{size} bytes");
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Empty_directories_and_the_times_and_modes_of_directories_arrive()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/full/file", 10, seed: 1);
        Directory.CreateDirectory(directory.Combine("served/empty/inner"));
        Directory.CreateDirectory(directory.Combine("served/closed"), (UnixFileMode)0x140);
        var time = new DateTime(2020, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc);
        foreach (string name in new[] { "full/file", "full", "empty/inner", "empty" })
        {
            Directory.SetLastWriteTimeUtc(directory.Combine("served/" + name), time);
        }

        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
        await world.GetAsync(Cancel);

        foreach (string name in new[] { "full/file", "full", "empty/inner", "empty" })
        {
            Assert.AreEqual(time, Directory.GetLastWriteTimeUtc(directory.Combine("fetched/" + name)), name);
        }

        Assert.AreEqual((UnixFileMode)0x140, File.GetUnixFileMode(directory.Combine("fetched/closed")));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_time_that_no_calendar_has_stops_nobody()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/ordinary", 10, seed: 2);
        directory.WriteRandom("absurd", 10, seed: 1);
        Shell.Run("mkdir /dev/shm/$2 && cp \"$1\" /dev/shm/$2/absurd && touch -d @253402300800 /dev/shm/$2/absurd", directory.Combine("absurd"), Path.GetFileName(directory.Path));
        string memory = "/dev/shm/" + Path.GetFileName(directory.Path);
        try
        {
            await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
            await using FileClient files = await world.ConnectAsync(Cancel);
            Assert.IsEmpty((await TransferWorld.PutAsync(files, memory, new TransferProgress(), Cancel)).Failed);
            (TransferResult result, TransferProgress progress) = await world.TryGetAsync(Cancel, to: memory + "/fetched");

            Assert.IsEmpty(result.Failed);
            Assert.AreEqual(2, progress.FilesDone);
        }
        finally
        {
            Directory.Delete(memory, recursive: true);
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Holes_are_not_sent_and_stay_holes()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory.Combine("served"));
        byte[] data = Bytes(4096);
        await using (FileStream sparse = File.Create(directory.Combine("served/sparse")))
        {
            sparse.Position = 200_000_000;
            await sparse.WriteAsync(data, Cancel);
            sparse.SetLength(300_000_000);
        }

        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
        TransferProgress progress = await world.GetAsync(Cancel);

        Assert.IsLessThan(100_000, progress.Moved);
        await using FileStream fetched = File.OpenRead(directory.Combine("fetched/sparse"));
        Assert.AreEqual(300_000_000, fetched.Length);
        fetched.Position = 200_000_000;
        byte[] arrived = new byte[data.Length];
        await fetched.ReadExactlyAsync(arrived, Cancel);
        CollectionAssert.AreEqual(data, arrived);
        Assert.IsTrue(Shell.TryRun("test $(du -k \"$1\" | cut -f1) -lt 1000", fetched.Name), "The holes were filled.");
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Links_inside_the_tree_are_kept_and_those_that_leave_it_are_passed_over_and_named()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/sub/file", 10, seed: 1);
        directory.WriteRandom("outside", 10, seed: 2);
        File.CreateSymbolicLink(directory.Combine("served/inside"), "sub/file");
        File.CreateSymbolicLink(directory.Combine("served/sub/up"), "../sub");
        File.CreateSymbolicLink(directory.Combine("served/leaves"), "../outside");
        File.CreateSymbolicLink(directory.Combine("served/absolute"), directory.Combine("outside"));
        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
        var notes = new List<string>();

        (TransferResult result, _) = await world.TryGetAsync(Cancel, options: new DestinationOptions { OnNote = notes.Add });

        Assert.IsEmpty(result.Failed);
        Assert.AreEqual("sub/file", new FileInfo(directory.Combine("fetched/inside")).LinkTarget);
        Assert.AreEqual("../sub", new FileInfo(directory.Combine("fetched/sub/up")).LinkTarget);
        Assert.HasCount(2, notes);
        Assert.IsTrue(notes.Any(note => note.Contains("leaves", StringComparison.Ordinal)));
        Assert.IsTrue(notes.Any(note => note.Contains("absolute", StringComparison.Ordinal)));
        Assert.IsFalse(Path.Exists(directory.Combine("fetched/leaves")));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Nothing_is_written_through_a_link_and_what_a_link_points_to_is_not_served()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/file", 10, seed: 1);
        directory.WriteRandom("served/way/new", 10, seed: 2);
        directory.WriteRandom("served/other", 10, seed: 3);
        File.WriteAllText(directory.Combine("precious"), "precious");
        Directory.CreateDirectory(directory.Combine("outside"));
        Directory.CreateDirectory(directory.Combine("fetched"));
        File.CreateSymbolicLink(directory.Combine("fetched/file"), directory.Combine("precious"));
        File.CreateSymbolicLink(directory.Combine("fetched/way"), directory.Combine("outside"));
        File.CreateSymbolicLink(directory.Combine("served/link"), directory.Combine("outside"));
        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);

        (TransferResult result, TransferProgress progress) = await world.TryGetAsync(Cancel);
        await using FileClient files = await world.ConnectAsync(Cancel);
        directory.WriteRandom("outside/secret", 10, seed: 4);
        TransferException refused = await Assert.ThrowsExactlyAsync<TransferException>(
            () => files.TailAsync("link/secret", 0, follow: false, Stream.Null, Cancel));

        Assert.AreEqual(ExitCode.Refused, refused.Code);
        Assert.AreEqual("precious", File.ReadAllText(directory.Combine("precious")));
        Assert.IsNull(new FileInfo(directory.Combine("fetched/file")).LinkTarget);
        Assert.HasCount(1, Directory.GetFiles(directory.Combine("outside")));
        Assert.AreEqual(2, progress.FilesDone);
        CollectionAssert.AreEquivalent(new[] { "way", "way/new" }, result.Failed.Select(one => one.Path).ToArray());
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_file_that_grows_while_it_is_sent_arrives_as_it_was_listed()
    {
        using var directory = new TempDirectory();
        string path = directory.WriteRandom("served/log", 2_000_000, seed: 1);
        byte[] listed = await File.ReadAllBytesAsync(path, Cancel);
        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
        var progress = new TransferProgress();
        await using FileClient files = await world.ConnectAsync(Cancel);
        using var destination = new DestinationTree(world.Fetched);

        Task<TransferResult> fetching = files.GetAsync(new GetRequest([], BytesPerSecond: 1_000_000), destination, new DestinationOptions(), progress, Cancel);
        await UntilAsync(() => progress.Moved > 0);
        await File.AppendAllTextAsync(path, "one more line\n", Cancel);

        Assert.IsFalse(fetching.IsCompleted, "The transfer was over before the file grew.");
        Assert.IsEmpty((await fetching).Failed);
        CollectionAssert.AreEqual(listed, await File.ReadAllBytesAsync(directory.Combine("fetched/log"), Cancel));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(0, DisplayName = "of the same size")]
    [DataRow(100, DisplayName = "and longer")]
    [DataRow(-100, DisplayName = "and shorter")]
    public async Task A_file_that_is_rewritten_while_it_is_sent_never_arrives_mixed(int longer)
    {
        using var directory = new TempDirectory();
        string path = directory.WriteRandom("served/file", 2_000_000, seed: 1);
        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
        var progress = new TransferProgress();
        await using FileClient files = await world.ConnectAsync(Cancel);
        using var destination = new DestinationTree(world.Fetched);

        Task<TransferResult> fetching = files.GetAsync(new GetRequest([], BytesPerSecond: 1_000_000), destination, new DestinationOptions(), progress, Cancel);
        await UntilAsync(() => progress.Moved > 0);
        directory.WriteRandom("served/file", 2_000_000 + longer, seed: 2);

        Assert.IsFalse(fetching.IsCompleted, "The transfer was over before the file changed.");
        FailedFile failed = (await fetching).Failed.Single();
        StringAssert.Contains(failed.Reason, "changed");
        Assert.IsFalse(Path.Exists(directory.Combine("fetched/file")));
        await world.GetAsync(Cancel);
        world.AssertSame("file");
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_directory_where_a_file_should_be_fails_alone_and_nothing_of_the_file_moves()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/one", 1_000_000, seed: 1);
        directory.WriteRandom("served/two", 10, seed: 2);
        Directory.CreateDirectory(directory.Combine("fetched/one"));
        await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);

        (TransferResult result, TransferProgress progress) = await world.TryGetAsync(Cancel);

        Assert.AreEqual("one", result.Failed.Single().Path);
        Assert.AreEqual(1, progress.FilesDone);
        Assert.AreEqual(10, progress.Moved);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_disk_that_is_full_stops_the_sender_at_once()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/a", 100_000_000, seed: 1);
        directory.WriteRandom("served/b", 10, seed: 2);
        Directory.CreateDirectory(directory.Combine("fetched"));
        Shell.Run("mount -t tmpfs -o size=4m tmpfs \"$1\"", directory.Combine("fetched"));
        try
        {
            await using TransferWorld world = await TransferWorld.StartAsync(directory, Cancel);
            (TransferResult result, TransferProgress progress) = await world.TryGetAsync(Cancel);

            StringAssert.Contains(result.Stopped, "no space");
            CollectionAssert.Contains(result.Failed.Select(one => one.Path).ToList(), "a");
            Assert.IsLessThan(8_000_000, progress.Moved);
            Assert.IsTrue(world.Notes.Any(note => note.Contains("stopped: no space", StringComparison.Ordinal)));
        }
        finally
        {
            Shell.Run("umount -l \"$1\"", directory.Combine("fetched"));
        }
    }
}
