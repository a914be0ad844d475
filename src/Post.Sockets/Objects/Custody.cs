namespace Post.Sockets.Objects;

/// <summary>In whose hands an object is that has arrived.</summary>
internal enum Custody : byte
{
    /// <summary>In ours.</summary>
    Held,

    /// <summary>In ours, until handlers of its antecedents have returned.</summary>
    HeldBack,

    /// <summary>The application can take it.</summary>
    Offered,

    /// <summary>In the application's.</summary>
    Taken,
}
