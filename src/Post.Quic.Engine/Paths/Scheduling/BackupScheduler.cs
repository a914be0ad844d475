namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>Sends everything by one path and keeps the others for when it fails.</summary>
internal sealed class BackupScheduler : IPathScheduler
{
    private HomePath _home;

    public int Choose(ReadOnlySpan<PathView> paths, in SendDemand demand, long now)
    {
        int chosen = _home.Find(paths);
        return paths[chosen].CanSend ? chosen : -1;
    }
}
