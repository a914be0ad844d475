using FileTransfer;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using FileTransfer.Storage;
using FileTransfer.Storage.Directories;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>What no honest source lists is refused as a whole.</summary>
[TestClass]
public sealed class HostileListingTests
{
    [TestMethod]
    [DataRow("/etc/passwd")]
    [DataRow("../outside")]
    [DataRow("a/../../outside")]
    [DataRow("a/./b")]
    [DataRow("a//b")]
    [DataRow("a/")]
    [DataRow("")]
    [DataRow("zero\0byte")]
    [DataRow(".post-file/x.part")]
    [DataRow(".POST-FILE/x.part")]
    [DataRow("lone\ud800surrogate")]
    public void A_name_that_is_not_plainly_inside_the_tree_is_refused(string path)
    {
        TransferException refused = Assert.ThrowsExactly<TransferException>(() => Add(new FileEntry(path)));

        Assert.AreEqual(ExitCode.Refused, refused.Code);
        Assert.IsFalse(refused.Message.Any(char.IsControl), "The message would steer a terminal.");
    }

    [TestMethod]
    [DataRow("C:/windows/system.ini")]
    [DataRow("a\\..\\b")]
    [DataRow("file:stream")]
    [DataRow("nul")]
    [DataRow("docs/COM1.txt")]
    [DataRow("docs/lpt9 .log")]
    [DataRow("trailing.")]
    [DataRow("trailing ")]
    [DataRow("line\nbreak")]
    [DataRow("escape\u001b[2J")]
    public void A_name_that_Windows_cannot_have_fails_alone_there_and_is_kept_elsewhere(string path)
    {
        Add(new FileEntry(path));

        Assert.IsNotNull(RelativePath.FindWindowsFault(path));
        Assert.AreEqual(OperatingSystem.IsWindows(), RelativePath.FindLocalFault(path) is not null);
    }

    [TestMethod]
    [DataRow("plain.txt")]
    [DataRow("deep/er/.hidden")]
    [DataRow("日本語/žluťoučký kůň 🚀.txt")]
    [DataRow("console.txt")]
    [DataRow("..two dots")]
    public void An_ordinary_name_is_taken(string path)
    {
        Add(new FileEntry(path));

        Assert.IsNull(RelativePath.FindWindowsFault(path));
    }

    [TestMethod]
    public void A_path_may_be_as_long_as_the_limit_and_no_longer()
    {
        Add(new FileEntry(PathOf(TransferLimits.MaxPathBytes)));
        AssertRefused(new FileEntry(PathOf(TransferLimits.MaxPathBytes + 1)));

        static string PathOf(int length) => string.Create(length, 0, (path, _) =>
        {
            for (int place = 0; place < path.Length; place++)
            {
                path[place] = place % 2 == 1 && place < path.Length - 1 ? '/' : 'a';
            }
        });
    }

    [TestMethod]
    public void Impossible_sizes_times_modes_and_kinds_are_refused()
    {
        AssertRefused(new FileEntry("a", FileKind.File, -1));
        AssertRefused(new FileEntry("a", FileKind.File, TransferLimits.MaxFileSize + 1));
        AssertRefused(new FileEntry("a", Nanoseconds: 1_000_000_000));
        AssertRefused(new FileEntry("a", Nanoseconds: -1));
        AssertRefused(new FileEntry("a", Mode: 0x200));
        AssertRefused(new FileEntry("a", Mode: -1));
        AssertRefused(new FileEntry("a", FileKind.Device));
        AssertRefused(new FileEntry("a", (FileKind)99));
        AssertRefused(new FileEntry("a", FileKind.Link));
        AssertRefused(new FileEntry("a", Hash: new byte[31]));
        AssertRefused([.. Enumerable.Range(0, 100).Select(n => new FileEntry($"f{n}", FileKind.File, TransferLimits.MaxFileSize))]);
    }

    [TestMethod]
    public void Two_entries_of_one_name_and_a_file_that_is_a_directory_are_refused()
    {
        AssertRefused(new FileEntry("a"), new FileEntry("a"));
        AssertRefused(new FileEntry("a"), new FileEntry("a/b"));
        AssertRefused(new FileEntry("a/b/c"), new FileEntry("a/b"));
        AssertRefused(new FileEntry("a", FileKind.Directory), new FileEntry("a"));
        AssertRefused(new FileEntry("a", FileKind.Directory), new FileEntry("a", FileKind.Directory));
        Add(new FileEntry("a/b"), new FileEntry("a", FileKind.Directory), new FileEntry("a/c"));
    }

    [TestMethod]
    public void A_listing_of_more_entries_than_the_limit_is_refused()
    {
        Add([.. Enumerable.Range(0, TransferLimits.MaxListingEntries).Select(n => new FileEntry($"f{n}"))]);
        AssertRefused([.. Enumerable.Range(0, TransferLimits.MaxListingEntries + 1).Select(n => new FileEntry($"f{n}"))]);
    }

    [TestMethod]
    public void A_listing_that_skips_or_repeats_numbers_is_refused()
    {
        var guard = new ListingGuard();
        guard.Add(new Listing(0, [new FileEntry("a")], [], []));

        Assert.ThrowsExactly<TransferException>(() => guard.Add(new Listing(0, [new FileEntry("b")], [], [])));
        Assert.ThrowsExactly<TransferException>(() => guard.Add(new Listing(2, [new FileEntry("b")], [], [])));
    }

    [TestMethod]
    [DataRow(0, 0)]
    [DataRow(2, 0)]
    [DataRow(1, 1)]
    public void An_end_that_speaks_of_other_numbers_than_came_is_an_error(int entries, int failed)
    {
        var guard = new ListingGuard();
        guard.Add(new Listing(0, [new FileEntry("a")], [], []));

        TransferException missing = Assert.ThrowsExactly<TransferException>(() => guard.End(new ListingEnd(entries, failed)));

        Assert.AreEqual(ExitCode.Incomplete, missing.Code);
        Assert.IsFalse(guard.IsComplete);
        guard.End(new ListingEnd(1, 0));
        Assert.IsTrue(guard.IsComplete);
    }

    [TestMethod]
    [DataRow("link", "target", true)]
    [DataRow("link", "./target/../other", true)]
    [DataRow("a/b/link", "../../target", true)]
    [DataRow("link", "..", false)]
    [DataRow("a/link", "../../outside", false)]
    [DataRow("a/link", "x/../../../outside", false)]
    [DataRow("link", "/etc/passwd", false)]
    [DataRow("link", "", false)]
    public void A_link_stays_inside_only_if_its_text_never_climbs_above_the_root(string path, string target, bool stays) =>
        Assert.AreEqual(stays, RelativePath.StaysInside(path, target));

    private static void Add(params FileEntry[] entries) => new ListingGuard().Add(new Listing(0, entries, [], []));

    private static void AssertRefused(params FileEntry[] entries) =>
        Assert.AreEqual(ExitCode.Refused, Assert.ThrowsExactly<TransferException>(() => Add(entries)).Code);
}
