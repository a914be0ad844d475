namespace Post.Sockets.Protocol;

/// <summary>What a parser says of the bytes it was given.</summary>
internal enum ParseStatus
{
    /// <summary>A whole unit was read.</summary>
    Done,

    /// <summary>So far so good, but the unit is not whole yet: come back with more bytes.</summary>
    NeedMore,

    /// <summary>No bytes that could follow would make this valid.</summary>
    Invalid,
}
