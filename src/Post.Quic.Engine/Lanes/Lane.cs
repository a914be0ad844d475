namespace Post.Quic.Engine.Lanes;

/// <summary>
/// What may go by the same paths, on as many of them at a time. Streams and datagrams wait in lanes, so that what is most urgent for a
/// path is found without a look at what must not go by it.
/// </summary>
internal sealed class Lane
{
    public Lane(int index, PathSet paths, int copies)
    {
        Index = index;
        Paths = paths;
        Copies = copies;
    }

    /// <summary>Its place in the table.</summary>
    public int Index { get; }

    public PathSet Paths { get; private set; }

    /// <summary>On how many paths the same content goes at a time, at least 1; fewer where there are fewer.</summary>
    public int Copies { get; set; }

    /// <summary>What waits in it may go into the packet that is built next.</summary>
    public bool IsOpen { get; set; } = true;

    /// <summary>It has been looked at for the packet that is built next, and no path takes anything of it now.</summary>
    public bool IsBlocked { get; set; }

    /// <summary>Streams and datagrams that it belongs to; one that nothing uses is given to what comes next.</summary>
    internal int Users { get; set; }

    internal void Become(PathSet paths, int copies)
    {
        Paths = paths;
        Copies = copies;
        IsOpen = true;
    }
}
