namespace Post.Sockets.Protocol;

/// <summary>Consecutive object ids, both ends included.</summary>
internal readonly record struct IdRange(long First, long Last)
{
    public long Count => Last - First + 1;

    public bool Contains(long id) => id >= First && id <= Last;
}
