using FileTransfer.Protocol;
using FileTransfer.Storage;
using FileTransfer.Storage.Directories;

namespace FileTransfer.Sources;

/// <summary>
/// Walks through a source in the order of names, a directory before what is in it. Everything that is there is found: as an entry, as a
/// failure, or as passed over.
/// </summary>
internal sealed class TreeWalk(SourceTree tree, SourceQuery query)
{
    /// <summary>The places where it begins, each checked, so that a request is refused as a whole before anything of it is done.</summary>
    /// <exception cref="TransferException">A path is refused, or there is nothing of its name.</exception>
    public IEnumerable<SourceItem> Begin()
    {
        var starts = query.Paths.Count == 0
            ? [.. tree.Mounts.Select(mount => new Start(mount, mount.Name, mount.LocalName))]
            : FindStarts();
        return starts.SelectMany(Walk);
    }

    private List<Start> FindStarts()
    {
        var paths = query.Paths.Select(path => path.TrimEnd('/')).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var starts = new List<Start>();
        foreach (var path in paths)
        {
            if (path is "" or ".")
            {
                return [.. tree.Mounts.Select(mount => new Start(mount, mount.Name, mount.LocalName))];
            }

            if (RelativePath.FindFault(path) is { } fault)
            {
                throw new TransferException(ExitCode.Refused, $"'{RelativePath.Show(path)}' {fault}.");
            }

            starts.Add(FindStart(path));
        }

        // What lies in another one comes with it.
        var known = paths.ToHashSet(StringComparer.Ordinal);
        starts.RemoveAll(start => AncestorsOf(start.Path).Any(known.Contains));
        return starts;
    }

    private static IEnumerable<string> AncestorsOf(string path)
    {
        for (var parent = RelativePath.ParentOf(path); parent.Length > 0; parent = RelativePath.ParentOf(parent))
        {
            yield return parent;
        }
    }

    private Start FindStart(string path)
    {
        foreach (var mount in tree.Mounts)
        {
            if (SourceTree.TryLocate(mount, path, out var local))
            {
                using var directories = new DirectoryCache(mount.Directory);
                try
                {
                    if (directories.Get(RelativePath.ParentOf(local)).Find(RelativePath.NameOf(local)) is not null)
                    {
                        return new Start(mount, path, local);
                    }
                }
                catch (Exception exception) when (FileFaultException.IsOne(exception)
                    && FileFaultException.Of(exception).Kind is FaultKind.NotFound or FaultKind.NotADirectory or FaultKind.Link)
                {
                    // The same answer as for what is not there: who asks learns nothing of what links point to.
                }
                catch (Exception exception) when (FileFaultException.IsOne(exception))
                {
                    throw new TransferException(
                        ExitCode.Refused, $"'{RelativePath.Show(path)}' cannot be read: {FileFaultException.Of(exception).Message}.");
                }
            }
        }

        throw SourceTree.NotFound(path);
    }

    private IEnumerable<SourceItem> Walk(Start start)
    {
        using var directories = new DirectoryCache(start.Mount.Directory);
        var visits = new Stack<Visit>();
        try
        {
            if (Look(start, directories, visits) is { } first)
            {
                yield return first;
            }

            while (visits.TryPeek(out var visit))
            {
                if (!visit.Names.MoveNext())
                {
                    visits.Pop().Directory.Dispose();
                    continue;
                }

                var name = visit.Names.Current;
                var path = RelativePath.Join(visit.Path, name);
                if (path == RelativePath.StateDirectory || query.Exclusions.Match(path, name))
                {
                    continue;
                }

                if (LookAt(start, visit.Directory, name, path, RelativePath.Join(visit.LocalPath, name), visits) is { } item)
                {
                    yield return item;
                }
            }
        }
        finally
        {
            while (visits.TryPop(out var visit))
            {
                visit.Directory.Dispose();
            }
        }
    }

    /// <summary>Looks at where the walk begins. The root of a tree has no name of its own, so it is no entry.</summary>
    private SourceItem? Look(Start start, DirectoryCache directories, Stack<Visit> visits) => start.LocalPath.Length == 0
        ? Enter(start.Path, string.Empty, start.Mount.Directory, ".", visits)
        : LookAt(
            start,
            directories.Get(RelativePath.ParentOf(start.LocalPath)),
            RelativePath.NameOf(start.LocalPath),
            start.Path,
            start.LocalPath,
            visits);

    private SourceItem? LookAt(
        Start start, OpenDirectory directory, string name, string path, string localPath, Stack<Visit> visits)
    {
        try
        {
            var item = Describe(start, directory, name, path, localPath);
            if (item is not FoundEntry { Entry.Kind: FileKind.Directory } found)
            {
                return item;
            }

            if (query.Depth > 0 && visits.Count >= query.Depth)
            {
                return found with { Entry = found.Entry with { Size = -1 } };
            }

            return Enter(path, localPath, directory, name, visits)
                ?? (SourceItem)(found with { Entry = found.Entry with { Size = visits.Peek().Count } });
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            return Failed(path, FileFaultException.Of(exception).Message);
        }
    }

    private SourceItem? Describe(Start start, OpenDirectory directory, string name, string path, string localPath)
    {
        if (RelativePath.FindFault(path) is { } fault)
        {
            return Failed(path, $"its name {fault}");
        }

        if (directory.Find(name) is not { } node)
        {
            // It went while the directory was read.
            return null;
        }

        var entry = new FileEntry(
            path, node.Kind, node.Size, node.Modified.Seconds, node.Modified.Nanoseconds, node.Mode is { } mode ? (int)mode : null);
        switch (node.Kind)
        {
            case FileKind.Link:
                var target = directory.ReadLink(name);
                var inside = start.Mount.Name.Length == 0 ? path : path[Math.Min(path.Length, start.Mount.Name.Length + 1)..];
                return RelativePath.StaysInside(inside, target)
                    ? new FoundEntry(entry with { Mode = null, Target = target }, start.Mount, localPath)
                    : new PassedOver(new FailedFile(path, "it is a link that leads out of the tree, and links are not followed"));
            case FileKind.Fifo or FileKind.Socket or FileKind.Device:
                var kind = node.Kind switch { FileKind.Fifo => "named pipe", FileKind.Socket => "socket", _ => "device" };
                return Failed(path, $"it is a {kind}; only files, directories and links are transferred");
            case FileKind.File when query.Checksum:
                using (var file = directory.OpenRead(name))
                {
                    entry = entry with { Hash = ContentHash.Of(file, node.Size) };
                }

                return new FoundEntry(entry, start.Mount, localPath);
            default:
                return new FoundEntry(entry, start.Mount, localPath);
        }
    }

    /// <summary>Opens a directory to go on in it; gives the failure where it cannot be read.</summary>
    private static FoundFailure? Enter(string path, string localPath, OpenDirectory parent, string name, Stack<Visit> visits)
    {
        OpenDirectory? opened = null;
        try
        {
            opened = parent.OpenChild(name);
            var names = opened.ListNames();
            visits.Push(new Visit(opened, path, localPath, names.GetEnumerator(), names.Count));
            return null;
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            opened?.Dispose();
            return Failed(path.Length == 0 ? "." : path, $"the directory cannot be read: {FileFaultException.Of(exception).Message}");
        }
    }

    private static FoundFailure Failed(string path, string reason) => new(new FailedFile(path, reason));

    private readonly record struct Start(Mount Mount, string Path, string LocalPath);

    /// <summary>A directory that is being walked through.</summary>
    private sealed record Visit(OpenDirectory Directory, string Path, string LocalPath, IEnumerator<string> Names, int Count);
}
