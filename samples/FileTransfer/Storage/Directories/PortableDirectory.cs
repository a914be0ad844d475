using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Storage.Directories;

/// <summary>A directory held by its path, where there is nothing better: each name is looked at before it is used.</summary>
internal sealed class PortableDirectory : OpenDirectory
{
    private readonly string _path;

    public PortableDirectory(string path)
    {
        _path = path;
        if (!Directory.Exists(path))
        {
            throw new FileFaultException(Path.Exists(path) ? FaultKind.NotADirectory : FaultKind.NotFound);
        }
    }

    public override List<string> ListNames() =>
        [.. Directory.EnumerateFileSystemEntries(_path).Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal)];

    public override FileNode? Find(string name)
    {
        var info = new FileInfo(Full(name));
        var isDirectory = Directory.Exists(info.FullName);
        if (info.LinkTarget is not null)
        {
            return new FileNode(FileKind.Link, 0, default, null);
        }

        if (!info.Exists && !isDirectory)
        {
            return null;
        }

        var kind = isDirectory ? FileKind.Directory : info.Attributes.HasFlag(FileAttributes.Device) ? FileKind.Device : FileKind.File;
        return new FileNode(
            kind,
            kind == FileKind.File ? info.Length : 0,
            FileTime.Of(info.LastWriteTimeUtc),
            OperatingSystem.IsWindows() ? null : info.UnixFileMode);
    }

    public override OpenDirectory OpenChild(string name)
    {
        RefuseLink(name);
        return new PortableDirectory(Full(name));
    }

    public override SafeFileHandle OpenRead(string name)
    {
        RefuseLink(name);
        if (Find(name) is { Kind: FileKind.Directory })
        {
            throw new FileFaultException(FaultKind.NotARegularFile);
        }

        return File.OpenHandle(
            Full(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
    }

    public override SafeFileHandle CreateNew(string name, UnixFileMode mode)
    {
        var file = File.OpenHandle(Full(name), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        if (!OperatingSystem.IsWindows())
        {
            // What the umask left of rw-rw-rw- says what it leaves of the rest: x goes with r.
            File.SetUnixFileMode(file, mode & FileModes.WithExecute(File.GetUnixFileMode(file)));
        }

        return file;
    }

    public override SafeFileHandle OpenLocked(string name)
    {
        RefuseLink(name);
        return File.OpenHandle(Full(name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }

    public override string ReadLink(string name) =>
        new FileInfo(Full(name)).LinkTarget ?? throw new FileFaultException(FaultKind.NotFound);

    public override void MakeDirectory(string name, UnixFileMode mode)
    {
        if (Path.Exists(Full(name)))
        {
            throw new FileFaultException(FaultKind.Exists);
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Full(name));
        }
        else
        {
            Directory.CreateDirectory(Full(name), mode);
        }
    }

    public override void MakeLink(string name, string target) =>
        File.CreateSymbolicLink(Full(name), target.Replace('/', Path.DirectorySeparatorChar));

    public override void Rename(string name, OpenDirectory to, string newName) =>
        File.Move(Full(name), ((PortableDirectory)to).Full(newName), overwrite: true);

    public override void Delete(string name) => File.Delete(Full(name));

    public override void DeleteIfEmpty(string name)
    {
        try
        {
            Directory.Delete(Full(name));
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            // Something waits there to be finished.
        }
    }

    public override void SetMode(string name, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Full(name), mode);
        }
    }

    public override void SetTime(string name, FileTime time) => Directory.SetLastWriteTimeUtc(Full(name), time.ToDateTime().UtcDateTime);

    public override bool TrySyncAll() => false;

    protected override void Dispose(bool disposing)
    {
    }

    private string Full(string name) => Path.Combine(_path, name);

    private void RefuseLink(string name)
    {
        var info = new FileInfo(Full(name));
        if (info.LinkTarget is not null || (info.Exists && info.Attributes.HasFlag(FileAttributes.ReparsePoint)))
        {
            throw new FileFaultException(FaultKind.Link);
        }
    }
}
