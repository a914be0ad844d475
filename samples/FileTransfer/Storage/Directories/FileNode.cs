using System.Runtime.InteropServices;
using FileTransfer.Storage.Native;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Storage.Directories;

/// <summary>What a file system says of one name.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Size">Bytes of a file.</param>
/// <param name="Modified">When it was last written.</param>
/// <param name="Mode">Its permissions; null where there are none of this kind.</param>
internal readonly record struct FileNode(FileKind Kind, long Size, FileTime Modified, UnixFileMode? Mode)
{
    private const int StatSize = 256;
    private const uint BasicStats = 0x7ff;
    private const int Permissions = 0x1ff;

    /// <summary>An open file as it is now.</summary>
    public static FileNode Of(SafeFileHandle file)
    {
        if (Libc.IsSupported)
        {
            return Find(file, string.Empty, LinuxFlags.EmptyPath)!.Value;
        }

        return new FileNode(
            FileKind.File,
            RandomAccess.GetLength(file),
            FileTime.Of(File.GetLastWriteTimeUtc(file)),
            OperatingSystem.IsWindows() ? null : File.GetUnixFileMode(file));
    }

    /// <summary>Asks Linux; null for what is not there.</summary>
    public static FileNode? Find(SafeFileHandle directory, string name, int flags)
    {
        Span<byte> buffer = stackalloc byte[StatSize];
        if (Libc.StatX(directory, name, flags, BasicStats, buffer) != 0)
        {
            return FileFaultException.OfLastError() is { Kind: not FaultKind.NotFound } fault ? throw fault : null;
        }

        // The layout of struct statx is the same on every architecture.
        var mode = MemoryMarshal.Read<ushort>(buffer[28..]);
        var kind = (mode & 0xf000) switch
        {
            0x8000 => FileKind.File,
            0x4000 => FileKind.Directory,
            0xa000 => FileKind.Link,
            0x1000 => FileKind.Fifo,
            0xc000 => FileKind.Socket,
            _ => FileKind.Device,
        };
        return new FileNode(
            kind,
            kind == FileKind.File ? MemoryMarshal.Read<long>(buffer[40..]) : 0,
            new FileTime(MemoryMarshal.Read<long>(buffer[112..]), (int)MemoryMarshal.Read<uint>(buffer[120..])),
            (UnixFileMode)(mode & Permissions));
    }
}
