using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Storage.Native;

/// <summary>
/// The system calls that .NET does not offer, on 64-bit Linux: names relative to an open directory, file types, holes, and one sync for
/// many files. Everywhere else the portable way serves.
/// </summary>
internal static partial class Libc
{
    private const string Library = "libc";

    /// <summary>Whether these calls may be used: the layouts below are those of 64-bit Linux, and names are listed by way of /proc.</summary>
    [SupportedOSPlatformGuard("linux")]
    public static bool IsSupported { get; } =
        OperatingSystem.IsLinux() && Environment.Is64BitProcess && Directory.Exists("/proc/self/fd");

    [LibraryImport(Library, EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int OpenAt(SafeFileHandle directory, string name, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int StatX(SafeFileHandle directory, string name, int flags, uint mask, Span<byte> buffer);

    [LibraryImport(Library, EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectoryAt(SafeFileHandle directory, string name, uint mode);

    [LibraryImport(Library, EntryPoint = "symlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SymbolicLinkAt(string target, SafeFileHandle directory, string name);

    [LibraryImport(Library, EntryPoint = "readlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint ReadLinkAt(SafeFileHandle directory, string name, Span<byte> buffer, nuint size);

    [LibraryImport(Library, EntryPoint = "renameat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int RenameAt(SafeFileHandle from, string name, SafeFileHandle to, string newName);

    [LibraryImport(Library, EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int UnlinkAt(SafeFileHandle directory, string name, int flags);

    [LibraryImport(Library, EntryPoint = "utimensat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetTimesAt(SafeFileHandle directory, string name, ReadOnlySpan<long> times, int flags);

    [LibraryImport(Library, EntryPoint = "futimens", SetLastError = true)]
    public static partial int SetTimes(SafeFileHandle file, ReadOnlySpan<long> times);

    [LibraryImport(Library, EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport(Library, EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport(Library, EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncFileSystem(SafeFileHandle file);

    [LibraryImport(Library, EntryPoint = "sync_file_range", SetLastError = true)]
    public static partial int BeginWriteBack(SafeFileHandle file, long offset, long count, uint flags);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, ReadOnlySpan<byte> bytes, nuint count);

    /// <summary>Asks about one descriptor: its number (4 bytes), the events asked for (2) and those that happened (2).</summary>
    [LibraryImport(Library, EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(Span<byte> descriptor, nuint count, int milliseconds);
}
