using FileTransfer.Storage.Directories;
using FileTransfer.Storage.Native;
using Microsoft.Win32.SafeHandles;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>A directory held by a descriptor and one held by its path do the same.</summary>
[TestClass]
[OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class DirectoryContractTests
{
    [TestMethod]
    [DataRow(true, DisplayName = "by a descriptor")]
    [DataRow(false, DisplayName = "by its path")]
    public void Files_are_made_found_locked_renamed_and_deleted(bool isNative)
    {
        using var temporary = new TempDirectory();
        using OpenDirectory root = Open(isNative, temporary.Path);
        root.MakeDirectory("sub", (UnixFileMode)0x1c0);
        using OpenDirectory sub = root.OpenChild("sub");
        var time = new FileTime(1_600_000_000, 123_456_700);
        using (SafeFileHandle made = root.CreateNew("new", (UnixFileMode)0x180))
        {
            RandomAccess.Write(made, [1, 2, 3], 0);
            time.SetOn(made);
        }

        Assert.AreEqual(new FileNode(FileKind.File, 3, time, (UnixFileMode)0x180), root.Find("new"));
        Assert.IsNull(root.Find("other"));
        Assert.AreEqual(FaultKind.Exists, FaultOf(() => root.CreateNew("new", (UnixFileMode)0x180)));
        Assert.AreEqual(FaultKind.Exists, FaultOf(() => root.MakeDirectory("sub", (UnixFileMode)0x1c0)));
        CollectionAssert.AreEqual(new[] { "new", "sub" }, root.ListNames());

        using (root.OpenLocked("new"))
        {
            Assert.AreEqual(FaultKind.InUse, FaultOf(() => root.OpenLocked("new")));
        }

        root.OpenLocked("new").Dispose();
        sub.CreateNew("target", (UnixFileMode)0x180).Dispose();
        root.Rename("new", sub, "target");
        Assert.AreEqual(3, sub.Find("target")!.Value.Size);
        using (SafeFileHandle read = sub.OpenRead("target"))
        {
            Assert.AreEqual(3, RandomAccess.GetLength(read));
        }

        root.DeleteIfEmpty("sub");
        sub.Delete("target");
        sub.Delete("target");
        root.SetTime("sub", time);
        root.SetMode("sub", (UnixFileMode)0x1ed);
        Assert.AreEqual((UnixFileMode)0x1ed, root.Find("sub")!.Value.Mode);
        Assert.AreEqual(time, root.Find("sub")!.Value.Modified);
        root.DeleteIfEmpty("sub");
        Assert.IsEmpty(root.ListNames());
    }

    [TestMethod]
    [DataRow(true, DisplayName = "by a descriptor")]
    [DataRow(false, DisplayName = "by its path")]
    public void Links_are_told_and_never_followed(bool isNative)
    {
        using var temporary = new TempDirectory();
        temporary.WriteRandom("outside/file", 3, seed: 1);
        Directory.CreateDirectory(temporary.Combine("tree"));
        using OpenDirectory root = Open(isNative, temporary.Combine("tree"));
        root.MakeLink("directory", "../outside");
        root.MakeLink("file", "../outside/file");

        Assert.AreEqual(FileKind.Link, root.Find("directory")!.Value.Kind);
        Assert.AreEqual(FileKind.Link, root.Find("file")!.Value.Kind);
        Assert.AreEqual("../outside", root.ReadLink("directory"));
        Assert.IsTrue(FaultOf(() => root.OpenChild("directory")) is FaultKind.Link or FaultKind.NotADirectory);
        Assert.AreEqual(FaultKind.Link, FaultOf(() => root.OpenRead("file")));
        Assert.AreEqual(FaultKind.Link, FaultOf(() => root.OpenLocked("file")));
        root.Delete("file");
        Assert.IsTrue(File.Exists(temporary.Combine("outside/file")));
        Assert.AreEqual(FaultKind.NotARegularFile, FaultOf(() => Open(isNative, temporary.Path).OpenRead("tree")));
        Assert.AreEqual(FaultKind.NotFound, FaultOf(() => Open(isNative, temporary.Combine("none"))));
    }

    private static OpenDirectory Open(bool isNative, string path)
    {
        if (!isNative)
        {
            return new PortableDirectory(path);
        }

        if (!Libc.IsSupported)
        {
            Assert.Inconclusive("Only 64-bit Linux has directories by a descriptor.");
        }

        return OpenDirectory.Open(path);
    }

    private static FaultKind FaultOf(Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            return FileFaultException.Of(exception).Kind;
        }

        throw new AssertFailedException("Nothing was refused.");
    }
}
