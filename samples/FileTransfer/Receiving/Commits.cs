using System.Diagnostics;
using FileTransfer.Storage;
using FileTransfer.Storage.Directories;

namespace FileTransfer.Receiving;

/// <summary>
/// Gives complete files their names, many at a time: one sync sees to it that the bytes of all are on the disk before any of them has its
/// name. So a machine that loses power leaves no file of the right name and wrong bytes, and a small file costs no sync of its own.
/// </summary>
internal sealed class Commits(DestinationTree tree) : IDisposable
{
    private const int MaxFiles = 4096;
    private const long MaxBytes = 256L * 1024 * 1024;
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    private readonly DirectoryCache _directories = new(tree.Root!);
    private List<Staged> _gathered = [];
    private Task<List<Outcome>> _running = Task.FromResult<List<Outcome>>([]);
    private long _bytes;
    private long _since;

    /// <summary>A complete file in the state directory.</summary>
    /// <param name="Name">Its name there.</param>
    /// <param name="Path">Where it is to lie.</param>
    /// <param name="Shown">How it is called to people.</param>
    /// <param name="HasNote">Whether a note goes with it.</param>
    public sealed record Staged(string Name, string Path, string Shown, bool HasNote);

    /// <summary>What became of it; no fault: it has its name.</summary>
    public sealed record Outcome(Staged File, FileFaultException? Fault);

    /// <summary>Adds a file, and commits those before it when it is time.</summary>
    /// <returns>What became of earlier ones.</returns>
    public async ValueTask<List<Outcome>> AddAsync(Staged file, long bytes)
    {
        if (_gathered.Count == 0)
        {
            _since = Stopwatch.GetTimestamp();
        }

        _gathered.Add(file);
        _bytes += bytes;
        return _gathered.Count >= MaxFiles || _bytes >= MaxBytes || Stopwatch.GetElapsedTime(_since) >= MaxWait ? await BeginAsync() : [];
    }

    /// <summary>Commits all that were added, and waits for it.</summary>
    public async ValueTask<List<Outcome>> CompleteAsync()
    {
        var before = await BeginAsync();
        return [.. before, .. await _running];
    }

    public void Dispose() => _directories.Dispose();

    /// <summary>Begins a commit beside the network; at most one runs at a time.</summary>
    private async ValueTask<List<Outcome>> BeginAsync()
    {
        var before = await _running;
        var group = _gathered;
        _gathered = [];
        _bytes = 0;
        _running = group.Count == 0 ? Task.FromResult<List<Outcome>>([]) : Task.Run(() => Commit(group));
        return before;
    }

    private List<Outcome> Commit(List<Staged> group)
    {
        try
        {
            // Where there is no sync for many, each was synced by itself.
            tree.State.Directory.TrySyncAll();
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            var fault = FileFaultException.Of(exception);
            return [.. group.Select(file => new Outcome(file, fault))];
        }

        return [.. group.Select(file => new Outcome(file, Name(file)))];
    }

    private FileFaultException? Name(Staged file)
    {
        try
        {
            var directory = _directories.Get(RelativePath.ParentOf(file.Path));
            tree.State.Directory.Rename(file.Name, directory, RelativePath.NameOf(file.Path));
            if (file.HasNote)
            {
                tree.State.DeleteNote(file.Path);
            }

            return null;
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            if (!file.HasNote)
            {
                tree.State.Directory.Delete(file.Name);
            }

            return FileFaultException.Of(exception);
        }
    }
}
