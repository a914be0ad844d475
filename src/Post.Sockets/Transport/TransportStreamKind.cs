namespace Post.Sockets.Transport;

/// <summary>The two kinds of streams.</summary>
public enum TransportStreamKind
{
    /// <summary>One side writes, the other reads.</summary>
    Unidirectional,

    /// <summary>Both sides write and read.</summary>
    Bidirectional,
}
