using System.Runtime.InteropServices;

namespace FileTransfer.Storage.Directories;

/// <summary>
/// A file system refused. The message names no path: it may be sent to the other side, which must not learn where things lie here.
/// </summary>
internal sealed class FileFaultException(FaultKind kind, Exception? innerException = null) : IOException(TextOf(kind), innerException)
{
    public FaultKind Kind { get; } = kind;

    /// <summary>Whether nothing more can be written, whatever file is next.</summary>
    public bool StopsEverything => Kind is FaultKind.NoSpace or FaultKind.ReadOnly or FaultKind.DeviceFailed;

    /// <summary>Whether an exception is one of a file system's.</summary>
    public static bool IsOne(Exception exception) =>
        exception is IOException and not (Post.Sockets.PostException or TransferException) or UnauthorizedAccessException or NotSupportedException;

    /// <summary>What an exception of a file system means.</summary>
    public static FileFaultException Of(Exception exception) => exception switch
    {
        FileFaultException fault => fault,
        UnauthorizedAccessException => new FileFaultException(FaultKind.Denied, exception),
        FileNotFoundException or DirectoryNotFoundException => new FileFaultException(FaultKind.NotFound, exception),
        PathTooLongException => new FileFaultException(FaultKind.NameTooLong, exception),
        NotSupportedException => new FileFaultException(FaultKind.NotSupported, exception),
        _ => new FileFaultException(OfCode(exception.HResult & 0xffff), exception),
    };

    /// <summary>What the last system call failed of.</summary>
    public static FileFaultException OfLastError() => new(OfErrno(Marshal.GetLastPInvokeError()));

    public static void ThrowIfFailed(int result)
    {
        if (result != 0)
        {
            throw OfLastError();
        }
    }

    private static FaultKind OfCode(int code) => OperatingSystem.IsWindows()
        ? code switch
        {
            39 or 112 => FaultKind.NoSpace,
            19 => FaultKind.ReadOnly,
            32 or 33 => FaultKind.InUse,
            80 or 183 => FaultKind.Exists,
            _ => FaultKind.Other,
        }
        : OfErrno(code);

    private static FaultKind OfErrno(int errno) => errno switch
    {
        1 or 13 => FaultKind.Denied,
        2 => FaultKind.NotFound,
        5 => FaultKind.DeviceFailed,
        17 => FaultKind.Exists,
        20 => FaultKind.NotADirectory,
        21 => FaultKind.IsADirectory,
        28 => FaultKind.NoSpace,
        30 => FaultKind.ReadOnly,
        _ when OperatingSystem.IsLinux() => errno switch
        {
            6 => FaultKind.NotARegularFile,
            11 => FaultKind.InUse,
            36 => FaultKind.NameTooLong,
            39 => FaultKind.Exists,
            40 => FaultKind.Link,
            95 => FaultKind.NotSupported,
            122 => FaultKind.NoSpace,
            _ => FaultKind.Other,
        },
        35 => FaultKind.InUse,
        62 => FaultKind.Link,
        63 => FaultKind.NameTooLong,
        66 => FaultKind.Exists,
        69 => FaultKind.NoSpace,
        _ => FaultKind.Other,
    };

    private static string TextOf(FaultKind kind) => kind switch
    {
        FaultKind.NotFound => "it is not there",
        FaultKind.Denied => "permission denied",
        FaultKind.NoSpace => "no space is left on the disk",
        FaultKind.ReadOnly => "the file system is read-only",
        FaultKind.DeviceFailed => "the disk reports an input/output error",
        FaultKind.Exists => "something of this name is in the way",
        FaultKind.NotADirectory => "a file or a link is where a directory should be",
        FaultKind.IsADirectory => "a directory is where a file should be",
        FaultKind.Link => "a link is in the way, and links are not followed",
        FaultKind.NameTooLong => "the name is too long for the file system",
        FaultKind.NotARegularFile => "it is not a regular file",
        FaultKind.InUse => "another program has locked it",
        FaultKind.NotSupported => "the file system does not support it",
        _ => "the file system refused",
    };
}
