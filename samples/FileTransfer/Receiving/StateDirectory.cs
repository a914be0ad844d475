using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FileTransfer.Protocol;
using FileTransfer.Storage;
using FileTransfer.Storage.Directories;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Receiving;

/// <summary>
/// The directory beside the files where they lie until they are complete. Several programs may use it at a time, each with a lock of its own.
/// Large files lie under the hash of their path (.part), with a note that says which version of which file they are (.json); small ones under
/// a number (.tmp), which nothing goes on with.
/// </summary>
internal sealed class StateDirectory : IDisposable
{
    private readonly OpenDirectory _root;
    private readonly SafeFileHandle _lock;
    private readonly string _id;
    private long _staged;

    public StateDirectory(OpenDirectory root)
    {
        _root = root;
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                Directory = Open(root);
                _id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
                _lock = Directory.OpenLocked(_id + ".lock");
                break;
            }
            catch (FileFaultException fault) when (fault.Kind == FaultKind.NotFound && attempt < 10)
            {
                // Another program that had finished took the empty directory away in between.
            }
        }

        Clean();
        UmaskedMode = FindUmaskedMode();
    }

    public OpenDirectory Directory { get; }

    /// <summary>What the umask leaves of all permissions.</summary>
    public UnixFileMode UmaskedMode { get; }

    /// <summary>A name that nobody has.</summary>
    public string NewName() => string.Create(CultureInfo.InvariantCulture, $"{_id}.{Interlocked.Increment(ref _staged)}.tmp");

    /// <summary>The name under which an unfinished file lies, without its suffix.</summary>
    public static string KeyOf(string path) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)).AsSpan(0, 16));

    /// <summary>How much is here of one version of a file, in bytes.</summary>
    public long CountUnfinished(string path, FileEntry file)
    {
        var key = KeyOf(path);
        return ReadNote(key) is { } note && note.Size == file.Size && note.Modified == file.Modified
            && Directory.Find(key + ".part") is { Kind: FileKind.File } part
            ? Math.Min(part.Size, file.Size)
            : 0;
    }

    /// <summary>Opens an unfinished file, for nobody else at the same time.</summary>
    /// <param name="path">Its local path.</param>
    /// <param name="file">Which version it is of.</param>
    /// <param name="from">How much of it is kept.</param>
    public SafeFileHandle OpenPart(string path, FileEntry file, long from)
    {
        var key = KeyOf(path);
        var handle = Directory.OpenLocked(key + ".part");
        try
        {
            if (from == 0)
            {
                // An older version's bytes must never be taken for this one's: they go before the note says otherwise.
                RandomAccess.SetLength(handle, 0);
                WriteNote(key, path, file);
            }
            else if (RandomAccess.GetLength(handle) < from || CountUnfinished(path, file) < from)
            {
                throw new FileFaultException(FaultKind.InUse);
            }

            RandomAccess.SetLength(handle, from);
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Forgets an unfinished file.</summary>
    public void DeletePart(string path)
    {
        var key = KeyOf(path);
        Directory.Delete(key + ".part");
        Directory.Delete(key + ".json");
    }

    public void DeleteNote(string path) => Directory.Delete(KeyOf(path) + ".json");

    public void Dispose()
    {
        // Some systems delete no file that is open.
        _lock.Dispose();
        try
        {
            Directory.Delete(_id + ".lock");
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            // The next run cleans up.
        }

        Directory.Dispose();
        _root.DeleteIfEmpty(RelativePath.StateDirectory);
    }

    private static OpenDirectory Open(OpenDirectory root)
    {
        if (root.Find(RelativePath.StateDirectory) is null)
        {
            try
            {
                root.MakeDirectory(RelativePath.StateDirectory, FileModes.PrivateDirectory);
            }
            catch (FileFaultException fault) when (fault.Kind == FaultKind.Exists)
            {
                // Another program was faster.
            }
        }

        return root.OpenChild(RelativePath.StateDirectory);
    }

    /// <summary>Deletes what programs that were killed left and nobody can go on with.</summary>
    private void Clean()
    {
        var names = Directory.ListNames();
        var alive = names.Where(name => name.EndsWith(".lock", StringComparison.Ordinal) && !IsAbandoned(name))
            .Select(Path.GetFileNameWithoutExtension).ToHashSet(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var isGarbage = Path.GetExtension(name) switch
            {
                ".lock" => !alive.Contains(Path.GetFileNameWithoutExtension(name)),
                ".tmp" => !alive.Contains(name[..Math.Max(0, name.IndexOf('.', StringComparison.Ordinal))]),
                ".part" => !names.Contains(Path.ChangeExtension(name, ".json")) && IsAbandoned(name),
                _ => false,
            };
            if (isGarbage)
            {
                Directory.Delete(name);
            }
        }
    }

    private bool IsAbandoned(string name)
    {
        if (name == _id + ".lock")
        {
            return false;
        }

        try
        {
            Directory.OpenLocked(name).Dispose();
            return true;
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            return false;
        }
    }

    private UnixFileMode FindUmaskedMode()
    {
        var name = NewName();
        using var probe = Directory.CreateNew(name, FileModes.Everything);
        Directory.Delete(name);
        return FileNode.Of(probe).Mode ?? FileModes.Everything;
    }

    private FileEntry? ReadNote(string key)
    {
        try
        {
            using var note = Directory.OpenRead(key + ".json");
            var bytes = new byte[Math.Min(RandomAccess.GetLength(note), 64 * 1024)];
            return RandomAccess.Read(note, bytes, 0) == bytes.Length
                ? JsonSerializer.Deserialize(bytes, ProtocolJson.Wire.FileEntry)
                : null;
        }
        catch (Exception exception) when (exception is JsonException || FileFaultException.IsOne(exception))
        {
            return null;
        }
    }

    private void WriteNote(string key, string path, FileEntry file)
    {
        var name = NewName();
        using (var note = Directory.CreateNew(name, FileModes.PrivateFile))
        {
            RandomAccess.Write(note, JsonSerializer.SerializeToUtf8Bytes(file with { Path = path }, ProtocolJson.Wire.FileEntry), 0);
        }

        Directory.Rename(name, Directory, key + ".json");
    }
}
