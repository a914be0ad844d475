using FileTransfer.Protocol;

namespace FileTransfer.Storage;

/// <summary>A directory whose files are sent: lists and opens what lies in it, and nothing else. Links are passed over.</summary>
internal sealed class SourceTree
{
    private static readonly EnumerationOptions Listing = new()
    {
        AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Device,
        IgnoreInaccessible = true,
        RecurseSubdirectories = true,
        MaxRecursionDepth = TransferLimits.MaxDepth,
        ReturnSpecialDirectories = false,
    };

    private readonly string _root;

    public SourceTree(string root)
    {
        _root = Path.GetFullPath(root);
        if (!Directory.Exists(_root))
        {
            throw new TransferException(ExitCode.LocalProblem, $"'{root}' is no directory.");
        }
    }

    /// <summary>The files below some paths, each once, in the order of their names.</summary>
    /// <param name="paths">Files or directories as they came from the network; empty: all.</param>
    /// <exception cref="TransferException">A path is refused, or there is nothing of its name.</exception>
    public IEnumerable<FileEntry> List(IReadOnlyList<string> paths)
    {
        if (paths.Count == 0)
        {
            return ListDirectory(_root);
        }

        // Checked before the first is given, so that a request is refused as a whole.
        var checkedPaths = paths.Select(Check).Distinct(SafePath.Comparer).Order(StringComparer.Ordinal).ToList();
        return checkedPaths
            .Where(path => !checkedPaths.Exists(other => path.StartsWith(other + "/", StringComparison.Ordinal)))
            .SelectMany(ListOne);
    }

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="TransferException">The path is refused, or there is no such file.</exception>
    public FileStream Open(string path)
    {
        var full = SafePath.Combine(_root, Check(path));
        if (!File.Exists(full))
        {
            throw Directory.Exists(full)
                ? new TransferException(ExitCode.Refused, $"'{path}' is a directory; only a file can be read.")
                : NotFound(path);
        }

        return new FileStream(
            full,
            new FileStreamOptions
            {
                Mode = FileMode.Open,
                Access = FileAccess.Read,
                Share = FileShare.ReadWrite | FileShare.Delete,
                Options = FileOptions.SequentialScan,
                BufferSize = 0,
            });
    }

    /// <summary>A file as it is now; null when it is gone.</summary>
    public FileEntry? Describe(string path) => Describe(new FileInfo(SafePath.Combine(_root, path)));

    private static TransferException NotFound(string path) =>
        new(ExitCode.Refused, $"There is no file or directory '{path}'.");

    private string Check(string path)
    {
        var trimmed = path.TrimEnd('/');
        if (SafePath.FindFault(trimmed) is { } fault)
        {
            throw new TransferException(ExitCode.Refused, $"'{path}' {fault}.");
        }

        // The same answer as for what is not there: whoever asks learns nothing of what links point to.
        return SafePath.HasLink(_root, trimmed) ? throw NotFound(path) : trimmed;
    }

    private IEnumerable<FileEntry> ListOne(string path)
    {
        var full = SafePath.Combine(_root, path);
        if (Directory.Exists(full))
        {
            return ListDirectory(full);
        }

        return Describe(new FileInfo(full)) is { } file ? [file] : throw NotFound(path);
    }

    private IEnumerable<FileEntry> ListDirectory(string directory)
    {
        foreach (var info in new DirectoryInfo(directory).EnumerateFiles("*", Listing))
        {
            // What no receiver would take is not offered.
            if (Describe(info) is { } file && SafePath.FindFault(file.Path) is null)
            {
                yield return file;
            }
        }
    }

    private FileEntry? Describe(FileInfo info)
    {
        try
        {
            return info.Exists && info.LinkTarget is null
                ? new FileEntry(
                    Path.GetRelativePath(_root, info.FullName).Replace(Path.DirectorySeparatorChar, '/'),
                    info.Length,
                    new DateTimeOffset(info.LastWriteTimeUtc).ToUnixTimeMilliseconds())
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
