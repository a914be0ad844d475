using FileTransfer.Storage.Native;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Storage.Directories;

/// <summary>The holes of sparse files, which read as zeros and take no room on the disk.</summary>
internal static class Holes
{
    /// <summary>Where the next bytes lie that are no hole, at or after an offset; the size where none do.</summary>
    public static long FindData(SafeFileHandle file, long offset, long size)
    {
        if (!Libc.IsSupported)
        {
            return offset;
        }

        // A file system without holes says that all is data; one that cannot tell fails, and then all is read.
        var found = Libc.Seek(file, offset, LinuxFlags.SeekData);
        return found >= 0
            ? Math.Min(found, size)
            : FileFaultException.OfLastError().Kind == FaultKind.NotARegularFile ? size : offset;
    }

    /// <summary>Where the next hole begins, at or after an offset that lies in data; the size where none does.</summary>
    public static long FindHole(SafeFileHandle file, long offset, long size)
    {
        var found = Libc.IsSupported ? Libc.Seek(file, offset, LinuxFlags.SeekHole) : size;
        return found > offset ? Math.Min(found, size) : size;
    }
}
