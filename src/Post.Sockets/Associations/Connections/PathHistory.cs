using System.Collections.Immutable;
using Post.Sockets.Associations.Delivery;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// The paths of one connection as its events tell them, so that each event goes on with the paths of its own moment, in order.
/// </summary>
internal sealed class PathHistory
{
    private readonly Lock _gate = new();
    private ImmutableArray<PostPath> _paths = [];
    private EventHub? _reader;

    /// <summary>Notes the paths that there are before the first event.</summary>
    public void Begin(IReadOnlyList<PostPath> paths)
    {
        lock (_gate)
        {
            _paths = [.. paths];
        }
    }

    /// <summary>The connection carries an association from now on, whose application knows of the paths, or is told.</summary>
    public void Open(EventHub reader, bool tell)
    {
        lock (_gate)
        {
            _reader = reader;
            if (tell)
            {
                foreach (var path in _paths)
                {
                    reader.OnPathChanged(path, PostPathChange.Added, _paths);
                }
            }
        }
    }

    /// <summary>The connection carries its association no more; with <paramref name="tell"/>, the application is told that its paths are gone.</summary>
    public void Close(bool tell)
    {
        lock (_gate)
        {
            if (_reader is { } reader && tell)
            {
                foreach (var path in _paths)
                {
                    Note(reader, path, PostPathChange.Removed);
                }
            }

            _reader = null;
        }
    }

    /// <summary>Something happened to a path.</summary>
    public void OnChanged(PostPath path, PostPathChange change)
    {
        lock (_gate)
        {
            var known = Find(path.Id);
            if (path.InterfaceName is null && known is not null && Equals(known.LocalEndPoint, path.LocalEndPoint))
            {
                // The interface has lost the address, or is gone: what happens to the path is still its news.
                path = path with { InterfaceName = known.InterfaceName, IsMetered = known.IsMetered };
            }

            if (change == PostPathChange.StateChanged && known?.State == path.State
                && Equals(known.LocalEndPoint, path.LocalEndPoint) && Equals(known.RemoteEndPoint, path.RemoteEndPoint))
            {
                _paths = _paths.Replace(known, path);
                return;
            }

            Note(_reader, path, change);
        }
    }

    private void Note(EventHub? reader, PostPath path, PostPathChange change)
    {
        path = change switch
        {
            PostPathChange.Removed => path with { State = PostPathState.Removed },
            PostPathChange.Failed => path with { State = PostPathState.Failed },
            _ => path,
        };
        var rest = _paths.RemoveAll(other => other.Id == path.Id);
        if (change is PostPathChange.Migrated or PostPathChange.PeerMoved)
        {
            // A move leaves the path that was in use; it may serve again.
            rest = [.. rest.Select(other => other.State == PostPathState.Active ? other with { State = PostPathState.Standby } : other)];
        }

        _paths = change == PostPathChange.Removed ? rest : [.. rest.Append(path).OrderBy(one => one.Id)];
        reader?.OnPathChanged(path, change, _paths);
    }

    private PostPath? Find(long id)
    {
        foreach (var path in _paths)
        {
            if (path.Id == id)
            {
                return path;
            }
        }

        return null;
    }
}
