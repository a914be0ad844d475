namespace Post.Sockets.Paths;

/// <summary>What the path manager wants done.</summary>
internal enum PathActionKind
{
    /// <summary>Open another path over the way.</summary>
    Open,

    /// <summary>Give the path up.</summary>
    Close,

    /// <summary>Use the path only where no other works.</summary>
    KeepInReserve,

    /// <summary>Use the path like any other.</summary>
    Use,

    /// <summary>Move the one path to the way.</summary>
    Move,

    /// <summary>There is no connection, and the machine has a way again: connect now.</summary>
    Reconnect,
}
