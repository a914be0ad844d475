using System.Net;
using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <content>The paths, and which of them is used.</content>
internal sealed partial class InMemoryConnection
{
    public override IReadOnlyList<PostPath> GetPaths()
    {
        lock (Network.Gate)
        {
            return [.. _paths.Select(path => path.Snapshot(Has(TransportCapabilities.Paths)))];
        }
    }

    public override ValueTask MigrateAsync(IPEndPoint? localEndPoint, CancellationToken cancellationToken)
    {
        if (!IsClient || !Has(TransportCapabilities.Migration))
        {
            return base.MigrateAsync(localEndPoint, cancellationToken);
        }

        lock (Network.Gate)
        {
            ThrowIfEnded();
            return new InMemoryMigration(_wire, localEndPoint).Start(cancellationToken);
        }
    }

    public override ValueTask<PostPath> OpenPathAsync(IPEndPoint localEndPoint, IPEndPoint? remoteEndPoint, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(localEndPoint);
        if (!IsClient || !Has(TransportCapabilities.Multipath))
        {
            return base.OpenPathAsync(localEndPoint, remoteEndPoint, cancellationToken);
        }

        lock (Network.Gate)
        {
            ThrowIfEnded();
            cancellationToken.ThrowIfCancellationRequested();
            return new InMemoryPathOpening(_wire, localEndPoint, _wire.FindServer(remoteEndPoint)).Start(cancellationToken);
        }
    }

    public override ValueTask ClosePathAsync(long pathId, CancellationToken cancellationToken)
    {
        if (!Has(TransportCapabilities.Multipath))
        {
            return base.ClosePathAsync(pathId, cancellationToken);
        }

        lock (Network.Gate)
        {
            ThrowIfEnded();
            ClosePath(pathId);
        }

        return ValueTask.CompletedTask;
    }

    public override void SetPathStatus(long pathId, TransportPathStatus status)
    {
        if (!Has(TransportCapabilities.Multipath))
        {
            base.SetPathStatus(pathId, status);
        }

        lock (Network.Gate)
        {
            SetReserve(pathId, status == TransportPathStatus.Backup);
        }
    }

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
        path.State = path.IsReserve ? PostPathState.Standby : PostPathState.Active;
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
        PathEnd? best = null;
        foreach (PathEnd path in Choices())
        {
            if (path.CanSend() && (best is null || path.SmoothedRtt < best.SmoothedRtt))
            {
                best = path;
            }
        }

        return best;
    }

    public long WhenAnyPathCanSend()
    {
        long when = -1;
        foreach (PathEnd path in Choices())
        {
            long own = path.WhenCanSend();
            if (own >= 0 && (when < 0 || own < when))
            {
                when = own;
            }
        }

        return when;
    }

    /// <summary>
    /// The paths that what is sent now may take: the one in use, or, where all carry data together, each that works. While one works, nothing is
    /// given to those that do not answer; and nothing to the reserve while another works.
    /// </summary>
    private IEnumerable<PathEnd> Choices()
    {
        if (!Has(TransportCapabilities.Multipath) || (Limits.Multipath != MultipathPolicy.Aggregate && !_main.IsSuspect))
        {
            return [_main];
        }

        int order = _paths.Min(Order);
        return _paths.Where(path => Order(path) == order && path.State is not (PostPathState.Validating or PostPathState.Removed));
    }

    /// <summary>Nothing comes through on a path: move to another that is in reserve or in use, else keep asking on this one.</summary>
    public void OnPathSilent(PathEnd path)
    {
        if (HasOther(path))
        {
            path.State = PostPathState.Suspect;
            ReportPath(path, PostPathChange.StateChanged);
            new InMemoryPathValidation(path.Path).Schedule();
        }
        else
        {
            path.State = PostPathState.Failed;
            ReportPath(path, PostPathChange.Failed);
        }

        if (ReferenceEquals(path, _main) && FindOther(path) is { } other)
        {
            UsePath(other);
            ReportPath(other, PostPathChange.StateChanged);
        }
    }

    public void OnPathAnswers(PathEnd path)
    {
        if (path.State is PostPathState.Failed or PostPathState.Suspect)
        {
            path.State = StateInUse(path);
            ReportPath(path, PostPathChange.Validated);
        }
    }

    /// <summary>With multipath: another path works.</summary>
    public bool HasOther(PathEnd path) => Has(TransportCapabilities.Multipath) && FindOther(path) is not null;

    /// <summary>The best other path that is validated and answers.</summary>
    public PathEnd? FindOther(PathEnd path)
    {
        PathEnd? best = null;
        foreach (PathEnd other in _paths)
        {
            if (!ReferenceEquals(other, path)
                && other.State is PostPathState.Standby or PostPathState.Active
                && !other.HasLostInRow
                && (best is null || (Order(other), other.SmoothedRtt).CompareTo((Order(best), best.SmoothedRtt)) < 0))
            {
                best = other;
            }
        }

        return best;
    }

    /// <summary>What a path that answers is good for.</summary>
    public PostPathState StateInUse(PathEnd path) => Has(TransportCapabilities.Multipath)
        ? path.IsReserve ? PostPathState.Standby : PostPathState.Active
        : ReferenceEquals(path, _main) ? PostPathState.Active : PostPathState.Standby;

    /// <summary>A message could not go by a path that is gone.</summary>
    public void Repeat(PathEnd gone, in LinkMessage message) => (FindOther(gone) ?? _main).Out.Send(message);

    public void ClosePath(long id)
    {
        PathEnd path = _paths.Find(one => one.Path.Id == id)
            ?? throw new TransportException(TransportErrorReason.PathNotFound, $"There is no path {id} any more.");
        if (FindOther(path) is null)
        {
            throw new TransportException(TransportErrorReason.Unreachable, $"Path {id} is the last one that works, so it cannot be given up.");
        }

        _wire.DropPath(path.Path);
    }

    public void SetReserve(long id, bool isReserve)
    {
        if (_paths.Find(one => one.Path.Id == id) is not { } path)
        {
            return;
        }

        foreach (PathEnd end in (ReadOnlySpan<PathEnd>)[path.Path.AtClient, path.Path.AtServer])
        {
            end.IsReserve = isReserve;
            if (end.State is PostPathState.Active or PostPathState.Standby)
            {
                end.State = isReserve ? PostPathState.Standby : PostPathState.Active;
                end.Owner.ReportPath(end, PostPathChange.StateChanged);
                end.Owner.FollowReserve();
            }
        }
    }

    /// <summary>What goes by one path goes by one that is for use, where there is one.</summary>
    private void FollowReserve()
    {
        if (_main.State != PostPathState.Active && _paths.Find(static path => path.State == PostPathState.Active && !path.HasLostInRow) is { } other)
        {
            UsePath(other);
        }
    }

    /// <summary>Those for use before those in reserve, and all that answer before those that do not.</summary>
    private static int Order(PathEnd path) =>
        path.State is not (PostPathState.Active or PostPathState.Standby) ? 3 : path.HasLostInRow ? 2 : path.IsReserve ? 1 : 0;

    private bool IsInUse(PathEnd path) => Has(TransportCapabilities.Multipath)
        ? path.State is not (PostPathState.Validating or PostPathState.Removed)
        : path.State is PostPathState.Active or PostPathState.Failed;
}
