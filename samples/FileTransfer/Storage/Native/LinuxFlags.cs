using System.Runtime.InteropServices;

namespace FileTransfer.Storage.Native;

/// <summary>The constants of the Linux system calls. Two of them differ by architecture.</summary>
internal static class LinuxFlags
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NonBlocking = 0x800;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;

    public const int SymlinkNoFollow = 0x100;
    public const int RemoveDirectory = 0x200;
    public const int EmptyPath = 0x1000;

    public const int SeekData = 3;
    public const int SeekHole = 4;

    public const int LockExclusiveAtOnce = 2 | 4;
    public const uint BeginWrite = 2;

    /// <summary>utimensat: leave this time as it is.</summary>
    public const long OmitTime = 0x3ffffffe;

    // Arm and POWER number these two in their own way.
    private static readonly bool IsOther =
        RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm or Architecture.Ppc64le;

    public static int Directory { get; } = IsOther ? 0x4000 : 0x10000;

    public static int NoFollow { get; } = IsOther ? 0x8000 : 0x20000;
}
