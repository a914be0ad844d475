using FileTransfer.Storage;
using FileTransfer.Storage.Directories;
using Microsoft.Win32.SafeHandles;

namespace FileTransfer.Sources;

/// <summary>What files are sent from: opens what lies in it, and nothing else. Links in it are never followed.</summary>
internal sealed class SourceTree : IDisposable
{
    private readonly List<Mount> _mounts;

    private SourceTree(List<Mount> mounts) => _mounts = mounts;

    public IReadOnlyList<Mount> Mounts => _mounts;

    /// <summary>A directory, or a single file, that is served.</summary>
    /// <exception cref="TransferException">There is neither.</exception>
    public static SourceTree Serve(string path)
    {
        if (Directory.Exists(path))
        {
            return new SourceTree([new Mount(string.Empty, Open(path, path), string.Empty)]);
        }

        return File.Exists(path)
            ? new SourceTree([Resolve(path, Path.GetFileName(Path.GetFullPath(path)))])
            : throw new TransferException(ExitCode.LocalProblem, $"There is no file or directory '{path}' here.");
    }

    /// <summary>Files and directories that are put, each under its own name. One that is a link is followed, since it was named.</summary>
    /// <param name="paths">Which.</param>
    /// <param name="into">The directory of the destination that they go to; empty: its root.</param>
    /// <param name="name">The name that the only path gets there; null: its own.</param>
    /// <exception cref="TransferException">One is not there, or two would have one name.</exception>
    public static SourceTree Arguments(IReadOnlyList<string> paths, string into = "", string? name = null)
    {
        if (name is not null && paths.Count != 1)
        {
            throw new TransferException(ExitCode.Usage, "--as names what is put, so it goes with one path only.");
        }

        var mounts = new List<Mount>();
        var names = new Dictionary<string, string>(RelativePath.IgnoresCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        try
        {
            foreach (var path in paths)
            {
                var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
                var target = RelativePath.Join(into, name ?? Path.GetFileName(full));
                if (RelativePath.FindFault(target) is { } fault)
                {
                    throw new TransferException(ExitCode.Usage, $"'{path}' would be '{target}' there, which {fault}. Give it another name with --as.");
                }

                if (!names.TryAdd(target, full))
                {
                    if (names[target] == full)
                    {
                        continue;
                    }

                    throw new TransferException(
                        ExitCode.Usage,
                        $"'{names[target]}' and '{full}' would both be '{target}' there. Put them one at a time, with --as or --into.");
                }

                mounts.Add(Resolve(full, target));
            }
        }
        catch
        {
            mounts.ForEach(mount => mount.Dispose());
            throw;
        }

        return new SourceTree(mounts);
    }

    /// <summary>Opens a file for reading by the name that the other side knows.</summary>
    /// <exception cref="TransferException">There is no such file.</exception>
    public SafeFileHandle OpenRead(string path)
    {
        if (RelativePath.FindFault(path) is { } fault)
        {
            throw new TransferException(ExitCode.Refused, $"'{RelativePath.Show(path)}' {fault}.");
        }

        foreach (var mount in _mounts)
        {
            if (TryLocate(mount, path, out var local))
            {
                using var directories = new DirectoryCache(mount.Directory);
                try
                {
                    return directories.Get(RelativePath.ParentOf(local)).OpenRead(RelativePath.NameOf(local));
                }
                catch (Exception exception) when (FileFaultException.IsOne(exception))
                {
                    throw new TransferException(
                        ExitCode.Refused, $"'{RelativePath.Show(path)}' cannot be read: {FileFaultException.Of(exception).Message}.");
                }
            }
        }

        throw NotFound(path);
    }

    /// <summary>Finds a path in a mount.</summary>
    /// <param name="mount">The mount.</param>
    /// <param name="path">The path as the other side knows it.</param>
    /// <param name="local">The path below the mount's directory; empty: the directory itself.</param>
    public static bool TryLocate(Mount mount, string path, out string local)
    {
        if (mount.Name.Length == 0)
        {
            local = path;
            return true;
        }

        var isInside = path.Length > mount.Name.Length && path[mount.Name.Length] == '/' && path.StartsWith(mount.Name, StringComparison.Ordinal);
        local = isInside ? mount.LocalName + path[mount.Name.Length..] : mount.LocalName;
        return isInside || path == mount.Name;
    }

    public static TransferException NotFound(string path) =>
        new(ExitCode.Refused, $"There is no file or directory '{RelativePath.Show(path)}'.");

    public void Dispose() => _mounts.ForEach(mount => mount.Dispose());

    private static Mount Resolve(string path, string name)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        try
        {
            FileSystemInfo info = Directory.Exists(full) ? new DirectoryInfo(full) : new FileInfo(full);
            full = info.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? full;
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            // That it leads nowhere shows below.
        }

        if (!Path.Exists(full))
        {
            throw new TransferException(ExitCode.LocalProblem, $"There is no file or directory '{path}' here.");
        }

        return Path.GetDirectoryName(full) is { } parent
            ? new Mount(name, Open(parent, path), Path.GetFileName(full))
            : new Mount(name, Open(full, path), string.Empty);
    }

    private static OpenDirectory Open(string directory, string named)
    {
        try
        {
            return OpenDirectory.Open(directory);
        }
        catch (Exception exception) when (FileFaultException.IsOne(exception))
        {
            throw new TransferException(
                ExitCode.LocalProblem, $"'{named}' cannot be read: {FileFaultException.Of(exception).Message}.", exception);
        }
    }
}
