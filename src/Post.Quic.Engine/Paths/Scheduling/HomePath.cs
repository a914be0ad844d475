namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>The one path that everything of a kind stays on for as long as no better kind of path is there.</summary>
internal struct HomePath
{
    private uint? _id;

    /// <summary>The index of the path. It is left only for one of a better rank, and then for the one with the least round trip.</summary>
    public int Find(ReadOnlySpan<PathView> paths)
    {
        int rank = PathRank.Best(paths);
        int found = -1;
        for (int i = 0; i < paths.Length; i++)
        {
            ref readonly PathView path = ref paths[i];
            if (PathRank.Of(path) != rank)
            {
                continue;
            }

            if (path.PathId == _id)
            {
                return i;
            }

            if (found < 0 || path.RoundTrip < paths[found].RoundTrip)
            {
                found = i;
            }
        }

        _id = paths[found].PathId;
        return found;
    }
}
