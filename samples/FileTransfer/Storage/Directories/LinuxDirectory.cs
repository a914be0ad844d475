using System.Globalization;
using System.IO.Enumeration;
using System.Runtime.Versioning;
using System.Text;
using FileTransfer.Storage.Native;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Storage.Directories;

/// <summary>A directory held by a descriptor: nobody can slip a link in between a check and a use.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxDirectory : OpenDirectory
{
    private const int LongestLink = 4096;

    private static readonly EnumerationOptions All = new()
    {
        AttributesToSkip = 0,
        IgnoreInaccessible = false,
        ReturnSpecialDirectories = false,
    };

    private readonly SafeFileHandle _handle;

    private LinuxDirectory(int descriptor)
    {
        _handle = descriptor < 0 ? throw FileFaultException.OfLastError() : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    public static LinuxDirectory OpenRoot(string path) =>
        new(Libc.Open(path, LinuxFlags.PathOnly | LinuxFlags.Directory | LinuxFlags.CloseOnExec, 0));

    public override List<string> ListNames()
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{_handle.DangerousGetHandle()}");
        var names = new FileSystemEnumerable<string>(path, static (ref FileSystemEntry entry) => entry.FileName.ToString(), All).ToList();
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public override FileNode? Find(string name) => FileNode.Find(_handle, name, LinuxFlags.SymlinkNoFollow);

    public override OpenDirectory OpenChild(string name) => new LinuxDirectory(
        Libc.OpenAt(_handle, name, LinuxFlags.PathOnly | LinuxFlags.Directory | LinuxFlags.NoFollow | LinuxFlags.CloseOnExec, 0));

    public override SafeFileHandle OpenRead(string name)
    {
        var file = OpenFile(name, LinuxFlags.ReadOnly | LinuxFlags.NonBlocking, 0);
        if (FileNode.Of(file).Kind == FileKind.File)
        {
            return file;
        }

        file.Dispose();
        throw new FileFaultException(FaultKind.NotARegularFile);
    }

    public override SafeFileHandle CreateNew(string name, UnixFileMode mode) =>
        OpenFile(name, LinuxFlags.ReadWrite | LinuxFlags.Create | LinuxFlags.Exclusive, mode);

    public override SafeFileHandle OpenLocked(string name)
    {
        var file = OpenFile(
            name, LinuxFlags.ReadWrite | LinuxFlags.Create | LinuxFlags.NonBlocking, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        if (Libc.Lock(file, LinuxFlags.LockExclusiveAtOnce) == 0)
        {
            return file;
        }

        var fault = FileFaultException.OfLastError();
        file.Dispose();
        throw fault;
    }

    public override string ReadLink(string name)
    {
        Span<byte> buffer = stackalloc byte[LongestLink];
        var length = Libc.ReadLinkAt(_handle, name, buffer, (nuint)buffer.Length);
        return length < 0 ? throw FileFaultException.OfLastError() : Encoding.UTF8.GetString(buffer[..(int)length]);
    }

    public override void MakeDirectory(string name, UnixFileMode mode) =>
        FileFaultException.ThrowIfFailed(Libc.MakeDirectoryAt(_handle, name, (uint)mode));

    public override void MakeLink(string name, string target) =>
        FileFaultException.ThrowIfFailed(Libc.SymbolicLinkAt(target, _handle, name));

    public override void Rename(string name, OpenDirectory to, string newName) =>
        FileFaultException.ThrowIfFailed(Libc.RenameAt(_handle, name, ((LinuxDirectory)to)._handle, newName));

    public override void Delete(string name)
    {
        if (Libc.UnlinkAt(_handle, name, 0) != 0 && FileFaultException.OfLastError() is { Kind: not FaultKind.NotFound } fault)
        {
            throw fault;
        }
    }

    // That it is not empty, or gone already, is no trouble.
    public override void DeleteIfEmpty(string name) => _ = Libc.UnlinkAt(_handle, name, LinuxFlags.RemoveDirectory);

    public override void SetMode(string name, UnixFileMode mode)
    {
        // By its name the call would follow a link.
        using var opened = OpenFile(name, LinuxFlags.ReadOnly | LinuxFlags.NonBlocking, 0);
        File.SetUnixFileMode(opened, mode);
    }

    public override void SetTime(string name, FileTime time) => FileFaultException.ThrowIfFailed(
        Libc.SetTimesAt(_handle, name, [0, LinuxFlags.OmitTime, time.Seconds, time.Nanoseconds], LinuxFlags.SymlinkNoFollow));

    public override bool TrySyncAll()
    {
        using var real = OpenFile(".", LinuxFlags.ReadOnly | LinuxFlags.Directory, 0);
        FileFaultException.ThrowIfFailed(Libc.SyncFileSystem(real));
        return true;
    }

    protected override void Dispose(bool disposing) => _handle.Dispose();

    private SafeFileHandle OpenFile(string name, int flags, UnixFileMode mode)
    {
        var descriptor = Libc.OpenAt(_handle, name, flags | LinuxFlags.NoFollow | LinuxFlags.CloseOnExec, (uint)mode);
        return descriptor < 0 ? throw FileFaultException.OfLastError() : new SafeFileHandle(descriptor, ownsHandle: true);
    }
}
