using FileTransfer;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using FileTransfer.Storage;

namespace Post.Quic.Tests.FileTransfers;

[TestClass]
public sealed class HostileManifestTests
{
    [TestMethod]
    [DataRow("/etc/passwd")]
    [DataRow("../outside")]
    [DataRow("a/../../outside")]
    [DataRow("a/./b")]
    [DataRow("a//b")]
    [DataRow("a/")]
    [DataRow("")]
    [DataRow("C:/windows/system.ini")]
    [DataRow("a\\..\\b")]
    [DataRow("file:stream")]
    [DataRow("nul")]
    [DataRow("docs/COM1.txt")]
    [DataRow("docs/lpt9 .log")]
    [DataRow("trailing.")]
    [DataRow("trailing ")]
    [DataRow("line\nbreak")]
    [DataRow("zero\0byte")]
    [DataRow("escape\u001b[2J")]
    [DataRow(".post-file/x.part")]
    [DataRow(".POST-FILE/x.part")]
    [DataRow("lone\ud800surrogate")]
    public void A_name_that_is_not_plainly_inside_the_tree_is_refused(string path)
    {
        TransferException refused = Assert.ThrowsExactly<TransferException>(() => Add(new FileEntry(path, 1, 0)));

        Assert.AreEqual(ExitCode.Refused, refused.Code);
        Assert.IsFalse(refused.Message.Any(char.IsControl), "The message would steer a terminal.");
    }

    [TestMethod]
    [DataRow("plain.txt")]
    [DataRow("deep/er/.hidden")]
    [DataRow("日本語/žluťoučký kůň 🚀.txt")]
    [DataRow("console.txt")]
    [DataRow("..two dots")]
    public void An_ordinary_name_is_taken(string path) => Add(new FileEntry(path, 1, 0));

    [TestMethod]
    public void Names_and_trees_beyond_the_limits_are_refused()
    {
        AssertRefused(new FileEntry(new string('a', TransferLimits.MaxNameBytes + 1), 1, 0));
        AssertRefused(new FileEntry(string.Join('/', Enumerable.Repeat("d", TransferLimits.MaxDepth + 1)), 1, 0));
        AssertRefused(new FileEntry(string.Join('/', Enumerable.Repeat(new string('n', 200), 6)), 1, 0));
    }

    [TestMethod]
    public void Impossible_sizes_and_times_are_refused()
    {
        AssertRefused(new FileEntry("a", -1, 0));
        AssertRefused(new FileEntry("a", long.MaxValue, 0));
        AssertRefused(new FileEntry("a", 10, 0, Have: 11));
        AssertRefused(new FileEntry("a", 10, 0, Have: -1));
        AssertRefused(new FileEntry("a", 1, long.MaxValue));
        AssertRefused([.. Enumerable.Range(0, 100).Select(n => new FileEntry($"f{n}", TransferLimits.MaxFileSize, 0))]);
    }

    [TestMethod]
    public void Two_files_of_one_name_and_a_file_that_is_a_directory_are_refused()
    {
        AssertRefused(new FileEntry("a", 1, 0), new FileEntry("a", 2, 0));
        AssertRefused(new FileEntry("a", 1, 0), new FileEntry("a/b", 2, 0));
        AssertRefused(new FileEntry("a/b/c", 1, 0), new FileEntry("a/b", 2, 0));
    }

    [TestMethod]
    public void More_files_than_the_limits_allow_are_refused()
    {
        AssertRefused([.. Enumerable.Range(0, TransferLimits.MaxManifestFiles + 1).Select(n => new FileEntry($"f{n}", 1, 0))]);
    }

    [TestMethod]
    public void A_manifest_that_skips_or_repeats_numbers_is_refused()
    {
        var guard = new ManifestGuard();
        guard.Add(new Manifest(0, [new FileEntry("a", 1, 0)]));

        Assert.ThrowsExactly<TransferException>(() => guard.Add(new Manifest(0, [new FileEntry("b", 1, 0)])));
        Assert.ThrowsExactly<TransferException>(() => guard.Add(new Manifest(2, [new FileEntry("b", 1, 0)])));
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    public void A_link_on_the_way_is_not_followed_by_either_side()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory.Combine("outside"));
        File.WriteAllText(directory.Combine("outside/secret"), "secret");
        Directory.CreateDirectory(directory.Combine("tree"));
        File.CreateSymbolicLink(directory.Combine("tree/way"), directory.Combine("outside"));
        File.CreateSymbolicLink(directory.Combine("tree/file"), directory.Combine("outside/secret"));

        var source = new SourceTree(directory.Combine("tree"));
        Assert.IsEmpty(source.List([]).ToList());
        Assert.ThrowsExactly<TransferException>(() => source.Open("way/secret"));
        Assert.ThrowsExactly<TransferException>(() => source.Open("file"));

        using var destination = new DestinationTree(directory.Combine("tree"));
        Assert.ThrowsExactly<TransferException>(() => destination.Begin(new FileEntry("way/new", 1, 0)));
        Assert.IsFalse(File.Exists(directory.Combine("outside/new")));
    }

    [TestMethod]
    [OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void An_identity_is_made_for_its_owner_only_and_refused_when_others_may_read_it()
    {
        using var directory = new TempDirectory();
        string path = directory.Combine("keys/identity.pfx");
        using (IdentityFile.LoadOrCreate(path))
        {
            Assert.AreEqual(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        TransferException refused = Assert.ThrowsExactly<TransferException>(() => IdentityFile.LoadOrCreate(path));
        StringAssert.Contains(refused.Message, "chmod 600");
    }

    private static void Add(params FileEntry[] files) => new ManifestGuard().Add(new Manifest(0, files));

    private static void AssertRefused(params FileEntry[] files) => Assert.ThrowsExactly<TransferException>(() => Add(files));
}
