namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>Which paths count: the best kind that there is, and no others beside it.</summary>
internal static class PathRank
{
    /// <summary>
    /// The rank of the best paths there are. One that can send nothing at the moment counts too: a backup is for when the others do
    /// not work, not for when they are full.
    /// </summary>
    public static int Best(ReadOnlySpan<PathView> paths)
    {
        int best = int.MaxValue;
        foreach (ref readonly PathView path in paths)
        {
            best = Math.Min(best, Of(path));
        }

        return best;
    }

    /// <summary>Lower is better: an available path, a backup, one that is suspect, one that is both.</summary>
    public static int Of(in PathView path) => (path.IsSuspect ? 2 : 0) + (path.IsBackup ? 1 : 0);
}
