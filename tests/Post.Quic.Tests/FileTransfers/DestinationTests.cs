using System.Buffers;
using FileTransfer;
using FileTransfer.Commands;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using FileTransfer.Sources;
using FileTransfer.Storage;
using FileTransfer.Storage.Directories;
using FileTransfer.Storage.Secrets;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>The rules of the local side, without a network.</summary>
[TestClass]
public sealed class DestinationTests
{
    private static readonly FileEntry Large = new("file", FileKind.File, 1_000_000, 1_700_000_000);

    [TestMethod]
    public void The_same_client_takes_an_unfinished_file_over_at_once_and_another_one_does_not()
    {
        using var directory = new TempDirectory();
        using var tree = new DestinationTree(directory.Combine("d"));
        using IncomingFile first = tree.Begin("file", Large, 0, new FileOwner([1]));
        first.Append(new ReadOnlySequence<byte>(new byte[1000]));

        FileFaultException refused = Assert.ThrowsExactly<FileFaultException>(() => tree.CountUnfinished("file", Large, new FileOwner([2])));
        Assert.AreEqual(FaultKind.InUse, refused.Kind);
        var heir = new FileOwner([1]);
        Assert.AreEqual(1000, tree.CountUnfinished("file", Large, heir));
        using IncomingFile second = tree.Begin("file", Large, 1000, heir);
        Assert.ThrowsExactly<TransferException>(() => first.Append(new ReadOnlySequence<byte>(new byte[1])));
        second.Append(new ReadOnlySequence<byte>(new byte[1]));
    }

    [TestMethod]
    public void Another_version_of_a_file_begins_anew()
    {
        using var directory = new TempDirectory();
        using var tree = new DestinationTree(directory.Combine("d"));
        var owner = new FileOwner([1]);
        using (IncomingFile first = tree.Begin("file", Large, 0, owner))
        {
            first.Append(new ReadOnlySequence<byte>(new byte[1000]));
        }

        Assert.AreEqual(1000, tree.CountUnfinished("file", Large, owner));
        Assert.AreEqual(0, tree.CountUnfinished("file", Large with { Nanoseconds = 1 }, owner));
        Assert.AreEqual(0, tree.CountUnfinished("file", Large with { Size = 1_000_001 }, owner));
        Assert.AreEqual(0, tree.CountUnfinished("other", Large, owner));
    }

    [TestMethod]
    public void Two_programs_may_receive_into_one_directory_but_not_the_same_file()
    {
        using var directory = new TempDirectory();
        using (var one = new DestinationTree(directory.Combine("d")))
        using (var other = new DestinationTree(directory.Combine("d")))
        {
            using IncomingFile first = one.Begin("file", Large, 0, new FileOwner([1]));
            using IncomingFile second = other.Begin("another", Large, 0, new FileOwner([1]));
            FileFaultException refused = Assert.ThrowsExactly<FileFaultException>(() => other.Begin("file", Large, 0, new FileOwner([1])));
            Assert.AreEqual(FaultKind.InUse, refused.Kind);
            first.Forget();
            second.Forget();
        }

        Assert.IsEmpty(Directory.GetFileSystemEntries(directory.Combine("d")));
    }

    [TestMethod]
    public void What_a_killed_program_left_for_nobody_is_cleaned_up_and_what_can_go_on_stays()
    {
        using var directory = new TempDirectory();
        string state = directory.Combine("d/" + RelativePath.StateDirectory);
        Directory.CreateDirectory(state);
        using var alive = new DestinationTree(directory.Combine("d"));
        string staged = alive.State.NewName();
        alive.State.Directory.CreateNew(staged, FileModes.PrivateFile).Dispose();
        foreach (string name in new[] { "dead.lock", "dead.1.tmp", "orphan.part", "kept.part", "kept.json" })
        {
            File.WriteAllText(Path.Combine(state, name), "x");
        }

        using var next = new DestinationTree(directory.Combine("d"));

        string[] left = [.. Directory.GetFiles(state).Select(file => Path.GetFileName(file)!)];
        CollectionAssert.IsSubsetOf(new[] { staged, "kept.part", "kept.json" }, left);
        Assert.IsFalse(left.Any(name => name.StartsWith("dead", StringComparison.Ordinal) || name == "orphan.part"), string.Join(' ', left));
    }

    [TestMethod]
    public void Two_arguments_of_one_name_are_refused_before_anything_moves()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("a/r.txt", 1, seed: 1);
        directory.WriteRandom("b/r.txt", 1, seed: 2);
        string[] both = [directory.Combine("a/r.txt"), directory.Combine("b/r.txt")];

        TransferException refused = Assert.ThrowsExactly<TransferException>(() => SourceTree.Arguments(both));

        Assert.AreEqual(ExitCode.Usage, refused.Code);
        using SourceTree same = SourceTree.Arguments([both[0], both[0]]);
        Assert.HasCount(1, same.Mounts);
        using SourceTree renamed = SourceTree.Arguments([both[0]], "into", "as.txt");
        Assert.AreEqual("into/as.txt", renamed.Mounts.Single().Name);
        Assert.ThrowsExactly<TransferException>(() => SourceTree.Arguments(both, name: "one"));
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public void A_link_that_the_user_names_is_followed()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("v2/file", 3, seed: 1);
        File.CreateSymbolicLink(directory.Combine("current"), "v2");

        using SourceTree tree = SourceTree.Arguments([directory.Combine("current")]);

        CollectionAssert.AreEqual(
            new[] { "current", "current/file" },
            new TreeWalk(tree, SourceQuery.Everything).Begin().Cast<FoundEntry>().Select(found => found.Entry.Path).ToArray());
    }

    [TestMethod]
    [DataRow("new.txt", ".", "new.txt", DisplayName = "a name with a suffix is the file's")]
    [DataRow("dir", "dir", "a/b.txt", DisplayName = "a name without one is a directory's")]
    [DataRow("new.d/", "new.d/", "a/b.txt", DisplayName = "a slash makes it a directory's")]
    public void One_file_may_be_fetched_under_another_name(string output, string expectedDirectory, string expectedPath)
    {
        GetTarget target = GetTarget.Of(["a/b.txt"], output, null);

        Assert.AreEqual(expectedDirectory, target.Directory);
        Assert.AreEqual(expectedPath, target.Placement.Place(new FileEntry("a/b.txt")));
        Assert.AreEqual("x", GetTarget.Of(["a/b.txt"], ".", "x").Placement.Place(new FileEntry("a/b.txt")));
        Assert.AreEqual("x/c", GetTarget.Of(["a/b"], ".", "x").Placement.Place(new FileEntry("a/b/c")));
        Assert.ThrowsExactly<TransferException>(() => GetTarget.Of(["a", "b"], ".", "x"));
        Assert.ThrowsExactly<TransferException>(() => GetTarget.Of(["a"], ".", "../x"));
        Assert.ThrowsExactly<TransferException>(() => GetTarget.Of(["a"], ".", "x").Placement.Place(new FileEntry("b")));
    }

    [TestMethod]
    [DataRow("example.org", "example.org", TransferLimits.DefaultPort)]
    [DataRow("example.org:99", "example.org", 99)]
    [DataRow("192.0.2.1", "192.0.2.1", TransferLimits.DefaultPort)]
    [DataRow("[2001:db8::1]:99", "2001:db8::1", 99)]
    [DataRow("2001:db8::1", "2001:db8::1", TransferLimits.DefaultPort)]
    public void A_server_is_named_with_or_without_a_port(string text, string host, int port)
    {
        Assert.AreEqual((host, port), RemoteOptions.ParseServer(text));
        foreach (string wrong in new[] { "", "host:", "host:0", "host:99999", ":99", "a b" })
        {
            Assert.AreEqual(ExitCode.Usage, Assert.ThrowsExactly<TransferException>(() => RemoteOptions.ParseServer(wrong)).Code, wrong);
        }
    }

    [TestMethod]
    public void A_batch_gives_back_what_was_put_in_and_refuses_what_is_none()
    {
        using var batch = new Batch();
        byte[] contents = [1, 2, 3];
        contents.CopyTo(batch.Next(3));
        batch.Add(7, 3);
        batch.Add(8, 0);
        ReadOnlySpan<byte> bytes = batch.Memory.Span;

        CollectionAssert.AreEqual(contents, Batch.Take(ref bytes, out uint first, out _).ToArray());
        Assert.AreEqual(7u, first);
        Assert.AreEqual(0, Batch.Take(ref bytes, out uint second, out _).Length);
        Assert.AreEqual(8u, second);
        Assert.AreEqual(0, bytes.Length);
        for (int length = 0; length < Batch.HeaderSize + 3; length++)
        {
            byte[] broken = batch.Memory.Span[..length].ToArray();
            Assert.ThrowsExactly<TransferException>(() =>
            {
                ReadOnlySpan<byte> rest = broken;
                Batch.Take(ref rest, out _, out _);
            });
        }
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void An_identity_is_made_for_its_owner_only_and_refused_when_others_may_read_it()
    {
        using var directory = new TempDirectory();
        string path = directory.Combine("keys/identity.pfx");
        using (StoredIdentity.LoadOrCreate(path))
        {
            Assert.AreEqual(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        TransferException refused = Assert.ThrowsExactly<TransferException>(() => StoredIdentity.LoadOrCreate(path));
        StringAssert.Contains(refused.Message, "chmod 600");
    }
}
