namespace FileTransfer.Storage.Directories;

/// <summary>Which permissions a file gets here. They are never wider than at the source, nor than the umask or the file that is replaced allow.</summary>
internal static class FileModes
{
    public const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    public const UnixFileMode PrivateDirectory = PrivateFile | UnixFileMode.UserExecute;
    public const UnixFileMode Everything = (UnixFileMode)0x1ff;
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode ReadAndWrite = (UnixFileMode)0x1b6;

    /// <summary>The mode of a file, before the umask.</summary>
    /// <param name="source">What the source says; null: its system has no such permissions.</param>
    /// <param name="replaced">The mode of the file that is replaced; null: there is none.</param>
    public static UnixFileMode OfFile(int? source, UnixFileMode? replaced)
    {
        var mode = source is { } known ? (UnixFileMode)known : ReadAndWrite;

        // A file that becomes a program stays readable to the same people, and they may run it.
        return replaced is { } before ? mode & WithExecute(before) : mode;
    }

    /// <summary>A mode in which whoever may read may also execute.</summary>
    public static UnixFileMode WithExecute(UnixFileMode mode) => mode | (UnixFileMode)((int)(mode & Readable) >> 2);

    /// <summary>The mode of a new directory, before the umask.</summary>
    public static UnixFileMode OfDirectory(int? source) => source is { } known ? (UnixFileMode)known : Everything;
}
