using FileTransfer.Storage.Native;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Storage.Directories;

/// <summary>
/// A directory in which names are looked up one at a time, and none of them through a link: what is reached from it lies below it. All
/// members throw <see cref="FileFaultException"/> or what .NET throws for files; <see cref="FileFaultException.Of"/> tells them apart.
/// </summary>
internal abstract class OpenDirectory : IDisposable
{
    /// <summary>Opens a directory that the user named; links on the way to it are followed.</summary>
    public static OpenDirectory Open(string path) =>
        Libc.IsSupported ? LinuxDirectory.OpenRoot(path) : new PortableDirectory(Path.GetFullPath(path));

    /// <summary>The names in it, in the order of their UTF-16 code units.</summary>
    public abstract List<string> ListNames();

    /// <summary>What stands under a name; null for nothing.</summary>
    public abstract FileNode? Find(string name);

    /// <summary>Opens a directory in it.</summary>
    public abstract OpenDirectory OpenChild(string name);

    /// <summary>Opens a regular file for reading; never waits for the other end of a FIFO.</summary>
    public abstract SafeFileHandle OpenRead(string name);

    /// <summary>Makes a file that was not there, for reading and writing. The mode is cut by the umask.</summary>
    public abstract SafeFileHandle CreateNew(string name, UnixFileMode mode);

    /// <summary>Opens a file for reading and writing, for nobody else: <see cref="FaultKind.InUse"/> while another program has it.</summary>
    public abstract SafeFileHandle OpenLocked(string name);

    public abstract string ReadLink(string name);

    public abstract void MakeDirectory(string name, UnixFileMode mode);

    public abstract void MakeLink(string name, string target);

    /// <summary>Gives something another name in one step; what bore that name before is replaced.</summary>
    public abstract void Rename(string name, OpenDirectory to, string newName);

    /// <summary>Deletes a file or a link, if it is there.</summary>
    public abstract void Delete(string name);

    /// <summary>Deletes a directory if it is empty.</summary>
    public abstract void DeleteIfEmpty(string name);

    public abstract void SetMode(string name, UnixFileMode mode);

    public abstract void SetTime(string name, FileTime time);

    /// <summary>Sees to it that everything written to this file system is on the disk; false where that takes a call for each file.</summary>
    public abstract bool TrySyncAll();

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
