using FileTransfer.Protocol;
using FileTransfer.Sources;
using FileTransfer.Storage;
using FileTransfer.Storage.Directories;

namespace FileTransfer.Receiving;

/// <summary>
/// Compares what a source lists with what is here: makes the directories and the links, and says of each file whether it is wanted, and from
/// which byte on.
/// </summary>
internal sealed class Planner(DestinationTree tree, DestinationOptions options, TransferProgress progress) : IDisposable
{
    private readonly DirectoryCache? _directories = tree.Root is null ? null : new DirectoryCache(tree.Root);
    private readonly List<(string Path, FileEntry Entry)> _made = [];

    /// <summary>What is to be done about a file.</summary>
    /// <param name="Path">Its local path.</param>
    /// <param name="From">How much of it is here.</param>
    /// <param name="Mode">The mode that it gets, before the umask.</param>
    public sealed record Plan(string Path, long From, UnixFileMode Mode);

    /// <summary>Decides on an entry.</summary>
    /// <returns>What to ask for; null: nothing.</returns>
    /// <exception cref="FileFaultException">It cannot be received.</exception>
    public Plan? Decide(FileEntry entry)
    {
        var path = options.Placement.Place(entry);
        if (RelativePath.FindLocalFault(path) is { } fault)
        {
            throw new TransferException(ExitCode.LocalProblem, fault);
        }

        var directory = OpenParent(path);
        var name = RelativePath.NameOf(path);
        var here = directory?.Find(name);
        switch (entry.Kind)
        {
            case FileKind.Directory:
                Make(entry, path, directory, name, here);
                return null;
            case FileKind.Link:
                Link(entry, path, directory, name, here);
                return null;
            default:
                return DecideFile(entry, path, directory, name, here);
        }
    }

    /// <summary>Gives the directories that were made their times and modes: last, since what was put into them changed the one and may have
    /// been forbidden by the other.</summary>
    public void EndDirectories(Action<string, string> onFailure)
    {
        foreach (var (path, entry) in Enumerable.Reverse(_made))
        {
            try
            {
                var parent = _directories!.Get(RelativePath.ParentOf(path));
                parent.SetTime(RelativePath.NameOf(path), entry.Modified);
                parent.SetMode(RelativePath.NameOf(path), FileModes.OfDirectory(entry.Mode) & tree.State.UmaskedMode);
            }
            catch (Exception exception) when (FileFaultException.IsOne(exception))
            {
                onFailure(entry.Path, $"the directory's time and mode could not be set: {FileFaultException.Of(exception).Message}");
            }
        }

        _made.Clear();
    }

    public void Dispose() => _directories?.Dispose();

    private OpenDirectory? OpenParent(string path)
    {
        try
        {
            return _directories?.Get(RelativePath.ParentOf(path), tree.IsDryRun ? null : FileModes.Everything);
        }
        catch (Exception exception) when (tree.IsDryRun && FileFaultException.IsOne(exception)
            && FileFaultException.Of(exception).Kind == FaultKind.NotFound)
        {
            return null;
        }
    }

    private void Make(FileEntry entry, string path, OpenDirectory? parent, string name, FileNode? here)
    {
        if (here is { Kind: FileKind.Directory })
        {
            return;
        }

        if (here is not null)
        {
            throw new FileFaultException(FaultKind.NotADirectory);
        }

        options.OnPlanned?.Invoke(entry);
        if (!tree.IsDryRun)
        {
            // Until the end we must be able to write into it, and nobody may see more of it than later.
            parent!.MakeDirectory(name, FileModes.OfDirectory(entry.Mode) | FileModes.PrivateDirectory);
            _made.Add((path, entry));
        }
    }

    private void Link(FileEntry entry, string path, OpenDirectory? parent, string name, FileNode? here)
    {
        if (!RelativePath.StaysInside(path, entry.Target!))
        {
            throw new TransferException(ExitCode.LocalProblem, "it is a link that leads out of the tree");
        }

        if (here is { Kind: FileKind.Directory })
        {
            throw new FileFaultException(FaultKind.IsADirectory);
        }

        if (here is { Kind: FileKind.Link } && parent!.ReadLink(name) == entry.Target)
        {
            return;
        }

        options.OnPlanned?.Invoke(entry);
        if (!tree.IsDryRun)
        {
            var staged = tree.State.NewName();
            tree.State.Directory.MakeLink(staged, entry.Target!);
            try
            {
                tree.State.Directory.SetTime(staged, entry.Modified);
                tree.State.Directory.Rename(staged, parent!, name);
            }
            catch
            {
                tree.State.Directory.Delete(staged);
                throw;
            }
        }
    }

    private Plan? DecideFile(FileEntry entry, string path, OpenDirectory? directory, string name, FileNode? here)
    {
        if (here is { Kind: FileKind.Directory })
        {
            throw new FileFaultException(FaultKind.IsADirectory);
        }

        if (here is { Kind: FileKind.File } node && node.Size == entry.Size && IsSame(entry, directory!, name, node))
        {
            progress.Announce(entry.Size, entry.Size);
            progress.EndFile(wasHere: true);
            return null;
        }

        if (!entry.Modified.IsOrdinary)
        {
            options.OnNote($"'{entry.Path}': its time is {entry.Modified}, which is kept as far as the file system here can.");
        }

        var from = entry.Size > TransferLimits.SmallFileSize ? tree.CountUnfinished(path, entry, options.Owner) : 0;
        progress.Announce(entry.Size, from);
        return new Plan(path, from, FileModes.OfFile(entry.Mode, here is { Kind: FileKind.File } ? here.Value.Mode : null));
    }

    private bool IsSame(FileEntry entry, OpenDirectory directory, string name, FileNode here)
    {
        if (entry.Hash is null)
        {
            return entry.Modified.IsKeptAs(here.Modified);
        }

        using var file = directory.OpenRead(name);
        return ContentHash.Of(file, here.Size).AsSpan().SequenceEqual(entry.Hash);
    }
}
