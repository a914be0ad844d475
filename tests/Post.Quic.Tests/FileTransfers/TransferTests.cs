using System.Net;
using FileTransfer;
using FileTransfer.Fetching;
using FileTransfer.Receiving;
using FileTransfer.Serving;
using FileTransfer.Storage;
using Post.Quic.Managed;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>The file transfer over loopback on the managed engine.</summary>
[TestClass]
public sealed class TransferTests
{
    public required TestContext TestContext { get; init; }

    private CancellationToken Canceled => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Files_are_fetched_once_and_only_what_changed_is_fetched_again()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/large.bin", 3_000_001, seed: 1);
        directory.WriteRandom("served/sub/small.bin", 10, seed: 2);
        directory.WriteRandom("served/empty", 0, seed: 3);
        await using World world = await World.StartAsync(directory, isWritable: false, Canceled);

        TransferProgress first = await world.GetAsync(Canceled);
        directory.WriteRandom("served/sub/small.bin", 20, seed: 4);
        TransferProgress second = await world.GetAsync(Canceled);

        Assert.AreEqual(3_000_011, first.Moved);
        Assert.AreEqual(20, second.Moved);
        world.AssertSame("large.bin", "sub/small.bin", "empty");
        Assert.IsFalse(Directory.Exists(directory.Combine("fetched/" + SafePath.StateDirectory)));
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task After_an_abrupt_cut_only_the_rest_moves_and_no_half_file_bears_its_name()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/large.bin", 24_000_000, seed: 1);
        await using World world = await World.StartAsync(directory, isWritable: false, Canceled);
        var cut = new TransferProgress();

        await using (FileClient client = await world.ConnectAsync(Canceled))
        using (var destination = new DestinationTree(world.Fetched))
        {
            Task<IReadOnlyList<FailedFile>> fetching = client.GetAsync([], destination, cut, Canceled);
            while (cut.Moved < 4_000_000 && !fetching.IsCompleted)
            {
                await Task.Delay(5, Canceled);
            }

            client.Association.Abort();
            TransferException lost = await Assert.ThrowsAsync<TransferException>(() => fetching);
            Assert.AreEqual(ExitCode.Interrupted, lost.Code);
        }

        Assert.IsFalse(File.Exists(directory.Combine("fetched/large.bin")));
        TransferProgress rest = await world.GetAsync(Canceled);

        Assert.IsGreaterThanOrEqualTo(4_000_000, rest.Here);
        Assert.AreEqual(24_000_000, rest.Here + rest.Moved);
        world.AssertSame("large.bin");
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_transfer_goes_on_when_the_clients_address_changes_and_both_sides_see_it()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/large.bin", 16_000_000, seed: 1);
        await using World world = await World.StartAsync(directory, isWritable: false, Canceled);
        await using FileClient client = await world.ConnectAsync(Canceled);
        EndPoint? before = client.Association.LocalEndPoint;
        var changes = new System.Collections.Concurrent.ConcurrentBag<PathChange>();
        using IDisposable registration = client.Association.Register<PathsChanged>(changed => changes.Add(changed.Change));
        using var destination = new DestinationTree(world.Fetched);
        var progress = new TransferProgress();

        Task<IReadOnlyList<FailedFile>> fetching = client.GetAsync([], destination, progress, Canceled);
        await client.Association.MigrateAsync(cancellationToken: Canceled);
        IReadOnlyList<FailedFile> failed = await fetching;

        Assert.IsEmpty(failed);
        Assert.AreNotEqual(before, client.Association.LocalEndPoint);
        Assert.Contains(PathChange.Validated, changes);
        world.AssertSame("large.bin");
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_writable_server_takes_files_and_one_that_is_not_refuses_them()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/there", 10, seed: 1);
        directory.WriteRandom("mine/new/file.bin", 600_000, seed: 2);
        var mine = new SourceTree(directory.Combine("mine"));
        await using (World world = await World.StartAsync(directory, isWritable: true, Canceled))
        {
            await using FileClient client = await world.ConnectAsync(Canceled);
            var progress = new TransferProgress();
            Assert.IsEmpty(await client.PutAsync(mine, ["new"], progress, Canceled));
            Assert.AreEqual(600_000, progress.Moved);
            var again = new TransferProgress();
            Assert.IsEmpty(await client.PutAsync(mine, ["new"], again, Canceled));
            Assert.AreEqual(0, again.Moved);
        }

        CollectionAssert.AreEqual(File.ReadAllBytes(directory.Combine("mine/new/file.bin")), File.ReadAllBytes(directory.Combine("served/new/file.bin")));
        await using World readOnly = await World.StartAsync(directory, isWritable: false, Canceled);
        await using FileClient refused = await readOnly.ConnectAsync(Canceled);
        TransferException failure = await Assert.ThrowsAsync<TransferException>(
            () => refused.PutAsync(mine, ["new"], new TransferProgress(), Canceled));
        Assert.AreEqual(ExitCode.Refused, failure.Code);
        StringAssert.Contains(failure.Message, "--writable");
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_growing_file_is_followed()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory.Combine("served"));
        string log = directory.Combine("served/log");
        await File.WriteAllTextAsync(log, "one\n", Canceled);
        await using World world = await World.StartAsync(directory, isWritable: false, Canceled);
        await using FileClient client = await world.ConnectAsync(Canceled);
        var pipe = new System.IO.Pipelines.Pipe();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Canceled);

        Task following = client.TailAsync("log", 0, follow: true, pipe.Writer.AsStream(), enough.Token);
        using var reader = new StreamReader(pipe.Reader.AsStream());
        Assert.AreEqual("one", await reader.ReadLineAsync(Canceled));
        await File.AppendAllTextAsync(log, "two\n", Canceled);
        Assert.AreEqual("two", await reader.ReadLineAsync(Canceled));
        await enough.CancelAsync();

        await Assert.ThrowsAsync<OperationCanceledException>(() => following);
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly PostTransport _clientTransport = new ManagedTransport();
        private readonly TempDirectory _directory;

        private World(TempDirectory directory) => _directory = directory;

        public required FileServer Server { get; init; }

        public string Fetched => _directory.Combine("fetched");

        public static async Task<World> StartAsync(TempDirectory directory, bool isWritable, CancellationToken cancellationToken)
        {
            var transport = new ManagedTransport();
            var local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), Identity.CreateSelfSigned());
            return new World(directory)
            {
                Server = await FileServer.StartAsync(
                    new PostHost(transport), local, directory.Combine("served"), isWritable, new SilentReporter(), cancellationToken),
            };
        }

        public Task<FileClient> ConnectAsync(CancellationToken cancellationToken) => FileClient.ConnectAsync(
            new PostHost(_clientTransport), Local.Anonymous, Remote.Pinned(Server.EndPoint, Server.Key), cancellationToken);

        public async Task<TransferProgress> GetAsync(CancellationToken cancellationToken)
        {
            var progress = new TransferProgress();
            await using FileClient client = await ConnectAsync(cancellationToken);
            using var destination = new DestinationTree(Fetched);
            Assert.IsEmpty(await client.GetAsync([], destination, progress, cancellationToken));
            return progress;
        }

        public void AssertSame(params string[] names)
        {
            foreach (string name in names)
            {
                CollectionAssert.AreEqual(
                    File.ReadAllBytes(_directory.Combine("served/" + name)), File.ReadAllBytes(_directory.Combine("fetched/" + name)), name);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            await _clientTransport.DisposeAsync();
        }
    }
}
