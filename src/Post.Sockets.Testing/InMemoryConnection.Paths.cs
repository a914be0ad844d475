using Post.Sockets.Transport;
namespace Post.Sockets.Testing;

/// <content>The paths, and which of them is used.</content>
internal sealed partial class InMemoryConnection
{
    public void AddPath(PathEnd path)
    {
        _paths.Add(path);
        _main ??= path;
    }

    public void RemovePath(PathEnd path) => _paths.Remove(path);

    public void UsePath(PathEnd path)
    {
        PathEnd old = _main;
        _main = path;
        path.State = PostPathState.Active;
        if (!ReferenceEquals(old, path))
        {
            foreach (LinkMessage message in old.Out.TakeHeld())
            {
                path.Out.Send(message);
            }
        }

        Sender.Pump();
    }

    public void ReportPath(PathEnd path, PostPathChange change)
    {
        if (Failure is null && Events is not null && Has(TransportCapabilities.Paths))
        {
            _queue.PathChanged(path.Snapshot(measured: true), change);
        }
    }

    /// <summary>The path that the next packet should take; null when none takes one now.</summary>
    public PathEnd? PickPath()
    {
        if (!Has(TransportCapabilities.Multipath))
        {
            return _main.CanSend() ? _main : null;
        }

        PathEnd? best = null;
        foreach (PathEnd path in _paths)
        {
            if (IsInUse(path) && path.CanSend() && (best is null || path.SmoothedRtt < best.SmoothedRtt))
            {
                best = path;
            }
        }

        return best;
    }

    public long WhenAnyPathCanSend()
    {
        long when = -1;
        foreach (PathEnd path in _paths)
        {
            long own = IsInUse(path) ? path.WhenCanSend() : -1;
            if (own >= 0 && (when < 0 || own < when))
            {
                when = own;
            }
        }

        return when;
    }

    /// <summary>Nothing comes through on a path: move to another that is in reserve or in use, else keep asking on this one.</summary>
    public void OnPathSilent(PathEnd path)
    {
        path.State = PostPathState.Failed;
        ReportPath(path, PostPathChange.Failed);
        if (!ReferenceEquals(path, _main))
        {
            return;
        }

        foreach (PathEnd other in _paths)
        {
            if (other.State is PostPathState.Standby or PostPathState.Active && !other.IsSuspect)
            {
                UsePath(other);
                ReportPath(other, PostPathChange.StateChanged);
                return;
            }
        }
    }

    public void OnPathAnswers(PathEnd path)
    {
        if (path.State == PostPathState.Failed)
        {
            path.State = ReferenceEquals(path, _main) || Has(TransportCapabilities.Multipath) ? PostPathState.Active : PostPathState.Standby;
            ReportPath(path, PostPathChange.Validated);
        }
    }

    private static bool IsInUse(PathEnd path) => path.State is PostPathState.Active or PostPathState.Failed;
}
