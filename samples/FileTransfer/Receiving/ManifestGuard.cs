using FileTransfer.Protocol;
using FileTransfer.Storage;

namespace FileTransfer.Receiving;

/// <summary>Takes in the manifests of one request and refuses what no honest sender sends.</summary>
internal sealed class ManifestGuard
{
    private readonly List<FileEntry> _files = [];
    private readonly HashSet<string> _names = new(SafePath.Comparer);
    private readonly HashSet<string> _directories = new(SafePath.Comparer);

    /// <summary>The files so far; their numbers are their places.</summary>
    public IReadOnlyList<FileEntry> Files => _files;

    /// <summary>Bytes of all files so far.</summary>
    public long TotalSize { get; private set; }

    /// <summary>Takes a manifest in.</summary>
    /// <exception cref="TransferException">It is refused; the message says why.</exception>
    public void Add(Manifest manifest)
    {
        if (manifest.First != _files.Count)
        {
            throw Refused($"a manifest begins at file {manifest.First} instead of {_files.Count}");
        }

        if (manifest.Files.Count > TransferLimits.MaxManifestFiles || _files.Count + manifest.Files.Count > TransferLimits.MaxFiles)
        {
            throw Refused($"more than {TransferLimits.MaxManifestFiles} files in a manifest, or {TransferLimits.MaxFiles} in all");
        }

        foreach (var file in manifest.Files)
        {
            Add(file);
        }
    }

    /// <summary>Compares what came with what the sender says it described: nothing may be missing in silence.</summary>
    public void CheckComplete(Done done)
    {
        if (done.Files != _files.Count)
        {
            throw new TransferException(
                ExitCode.Incomplete, $"The sender described {done.Files} files, of which {_files.Count} arrived here. Run again.");
        }
    }

    private static TransferException Refused(string what) => new(ExitCode.Refused, $"The sender's manifest is refused: {what}.");

    private void Add(FileEntry file)
    {
        // JSON may say null where the type does not.
        if (file?.Path is not { } path)
        {
            throw Refused("a file without a path");
        }

        if (SafePath.FindFault(path) is { } fault)
        {
            throw Refused($"'{Shorten(path)}' {fault}");
        }

        if (file.Size is < 0 or > TransferLimits.MaxFileSize || file.Have < 0 || file.Have > file.Size)
        {
            throw Refused($"'{Shorten(path)}' is said to have {file.Size} bytes, of which {file.Have} are here");
        }

        // Beyond these a time is none that a file can bear.
        if (file.Modified is < -62_135_596_800_000 or > 253_402_300_799_999)
        {
            throw Refused($"'{Shorten(path)}' was written at an impossible time");
        }

        if (!_names.Add(path) || _directories.Contains(path))
        {
            throw Refused($"'{Shorten(path)}' comes twice, or is a file and a directory");
        }

        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            var directory = path[..slash];
            if (_names.Contains(directory))
            {
                throw Refused($"'{Shorten(directory)}' is a file and a directory");
            }

            _directories.Add(directory);
        }

        TotalSize += file.Size;
        if (TotalSize > TransferLimits.MaxTotalSize)
        {
            throw Refused($"more than {TransferLimits.MaxTotalSize} bytes in all");
        }

        _files.Add(file);
    }

    // What comes from the network is shown to people: not at any length, and without what moves a cursor.
    private static string Shorten(string path) =>
        string.Concat((path.Length > 80 ? path[..80] + "..." : path).Select(c => char.IsControl(c) ? '?' : c));
}
