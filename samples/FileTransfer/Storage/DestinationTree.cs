using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FileTransfer.Protocol;

namespace FileTransfer.Storage;

/// <summary>
/// A directory that files are received into. Unfinished files lie under a name of our own beside a note that says which version of which
/// file they are; a complete file takes its own name in one step, so nobody ever sees half of one.
/// </summary>
internal sealed class DestinationTree : IDisposable
{
    private readonly ConcurrentDictionary<string, bool> _arriving = new(SafePath.Comparer);
    private readonly FileStream _lock;
    private readonly string _root;
    private readonly string _state;

    public DestinationTree(string root)
    {
        _root = Path.GetFullPath(root);
        Directory.CreateDirectory(_root);
        _state = Path.Combine(_root, SafePath.StateDirectory);
        if (new FileInfo(_state).LinkTarget is not null)
        {
            throw new TransferException(ExitCode.LocalProblem, $"'{_state}' is a link; remove it.");
        }

        Directory.CreateDirectory(_state);
        try
        {
            _lock = new FileStream(
                Path.Combine(_state, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException exception)
        {
            throw new TransferException(ExitCode.LocalProblem, $"Another post-file receives into '{_root}': {exception.Message}", exception);
        }

        // What small files leave behind when their program is killed: nothing can be gone on with without a note.
        foreach (var part in Directory.EnumerateFiles(_state, "*.part").Where(part => !File.Exists(Path.ChangeExtension(part, ".json"))))
        {
            File.Delete(part);
        }
    }

    /// <summary>What is here already of what may come: complete files below the paths, and unfinished ones.</summary>
    public List<FileEntry> ListHave(IReadOnlyList<string> paths)
    {
        var have = new List<FileEntry>();
        foreach (var note in Directory.EnumerateFiles(_state, "*.json").Take(TransferLimits.MaxHave))
        {
            if (ReadNote(note) is { } entry && File.Exists(PartOf(note)))
            {
                have.Add(entry with { Have = CountUnfinished(note, entry) });
            }
        }

        var unfinished = have.Select(entry => entry.Path).ToHashSet(SafePath.Comparer);
        var source = new SourceTree(_root);
        foreach (var path in paths.Count == 0 ? [string.Empty] : paths)
        {
            var trimmed = path.TrimEnd('/');
            if (trimmed.Length > 0 && !Path.Exists(SafePath.Combine(_root, trimmed)))
            {
                continue;
            }

            have.AddRange(source.List(trimmed.Length == 0 ? [] : [trimmed])
                .Where(entry => !unfinished.Contains(entry.Path))
                .Take(Math.Max(0, TransferLimits.MaxHave - have.Count))
                .Select(entry => entry with { Have = entry.Size }));
        }

        return have;
    }

    /// <summary>What is here already of one version of a file, in bytes.</summary>
    public long CountHave(FileEntry file)
    {
        var complete = new FileInfo(SafePath.Combine(_root, file.Path));
        if (IsComplete(file, complete))
        {
            return file.Size;
        }

        var note = NoteOf(file.Path);
        return ReadNote(note) is { } entry && entry.Size == file.Size && entry.Modified == file.Modified && File.Exists(PartOf(note))
            ? CountUnfinished(note, file)
            : 0;
    }

    /// <summary>Whether this version of a file is complete here.</summary>
    public bool HasComplete(FileEntry file) => IsComplete(file, new FileInfo(SafePath.Combine(_root, file.Path)));

    /// <summary>Begins to receive a file, or goes on with it.</summary>
    /// <param name="file">A file whose path was checked; <see cref="FileEntry.Have"/> says where the sender begins.</param>
    /// <exception cref="TransferException">A link is in the way, or fewer bytes are here than the sender was told.</exception>
    public IncomingFile Begin(FileEntry file)
    {
        var target = SafePath.Combine(_root, file.Path);
        CreateDirectories(file.Path);
        if (Directory.Exists(target))
        {
            throw new TransferException(ExitCode.LocalProblem, $"'{file.Path}' is a directory here; move it away.");
        }

        var note = NoteOf(file.Path);
        if (file.Have == 0 && file.Size > TransferLimits.ChunkSize)
        {
            WriteNote(note, file);
        }

        if (!_arriving.TryAdd(file.Path, true))
        {
            throw new TransferException(ExitCode.Refused, $"'{file.Path}' is arriving from somebody else already; try later.");
        }

        try
        {
            return new IncomingFile(file, PartOf(note), note, target, () => _arriving.TryRemove(file.Path, out _));
        }
        catch
        {
            _arriving.TryRemove(file.Path, out _);
            throw;
        }
    }

    /// <summary>Lets others receive here; what is unfinished stays for a later run.</summary>
    public void Dispose()
    {
        _lock.Dispose();
        try
        {
            Directory.Delete(_state);
        }
        catch (IOException)
        {
            // Something waits there to be finished.
        }
    }

    private static bool IsComplete(FileEntry file, FileInfo info) =>
        info.Exists && info.LinkTarget is null && info.Length == file.Size
        && new DateTimeOffset(info.LastWriteTimeUtc).ToUnixTimeMilliseconds() == file.Modified;

    // The last byte of an unfinished file is always asked for again: the hash comes with it.
    private static long CountUnfinished(string note, FileEntry file) =>
        Math.Max(0, Math.Min(new FileInfo(PartOf(note)).Length, file.Size - 1));

    private static string PartOf(string note) => Path.ChangeExtension(note, ".part");

    private static FileEntry? ReadNote(string note)
    {
        try
        {
            var entry = JsonSerializer.Deserialize(File.ReadAllBytes(note), ProtocolJson.Default.FileEntry);
            return entry is { Size: >= 0 } && SafePath.FindFault(entry.Path) is null ? entry : null;
        }
        catch (Exception exception) when (exception is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void WriteNote(string note, FileEntry file)
    {
        // An older version's bytes must never be taken for this one's: they go before the note says otherwise.
        File.Delete(PartOf(note));
        File.WriteAllBytes(note + ".new", JsonSerializer.SerializeToUtf8Bytes(file with { Have = 0 }, ProtocolJson.Default.FileEntry));
        File.Move(note + ".new", note, overwrite: true);
    }

    private string NoteOf(string path) =>
        Path.Combine(_state, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)).AsSpan(0, 16)) + ".json");

    private void CreateDirectories(string path)
    {
        var slash = path.LastIndexOf('/');
        if (slash < 0)
        {
            return;
        }

        var directory = path[..slash];
        if (SafePath.HasLink(_root, directory))
        {
            throw new TransferException(ExitCode.LocalProblem, $"A link lies on the way to '{path}'; links are not followed. Remove it.");
        }

        try
        {
            Directory.CreateDirectory(SafePath.Combine(_root, directory));
        }
        catch (IOException exception)
        {
            throw new TransferException(ExitCode.LocalProblem, $"'{directory}' cannot be made a directory: {exception.Message}", exception);
        }
    }
}
