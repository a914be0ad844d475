namespace FileTransfer.Storage.Directories;

/// <summary>
/// Finds directories by their path below a root, keeping the last ones open: files come one directory after another. For one thread at a time.
/// </summary>
internal sealed class DirectoryCache(OpenDirectory root) : IDisposable
{
    // Descriptors are few, and trees are walked in order.
    private const int MaxOpen = 64;

    private readonly Dictionary<string, OpenDirectory> _open = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    /// <summary>Opens a directory; none on the way may be a link.</summary>
    /// <param name="path">Its path with slashes; empty: the root.</param>
    /// <param name="make">Makes those that are missing, with this mode before the umask; null: they must be there.</param>
    public OpenDirectory Get(string path, UnixFileMode? make = null)
    {
        if (path.Length == 0)
        {
            return root;
        }

        if (_open.TryGetValue(path, out var known))
        {
            return known;
        }

        var slash = path.LastIndexOf('/');
        var parent = Get(slash < 0 ? string.Empty : path[..slash], make);
        var name = path[(slash + 1)..];
        OpenDirectory opened;
        try
        {
            opened = parent.OpenChild(name);
        }
        catch (Exception exception) when (make is not null && FileFaultException.IsOne(exception)
            && FileFaultException.Of(exception).Kind == FaultKind.NotFound)
        {
            parent.MakeDirectory(name, make.Value);
            opened = parent.OpenChild(name);
        }

        while (_order.Count >= MaxOpen && _order.TryDequeue(out var oldest))
        {
            if (_open.Remove(oldest, out var unused))
            {
                unused.Dispose();
            }
        }

        _open.Add(path, opened);
        _order.Enqueue(path);
        return opened;
    }

    public void Dispose()
    {
        foreach (var directory in _open.Values)
        {
            directory.Dispose();
        }

        _open.Clear();
        _order.Clear();
    }
}
