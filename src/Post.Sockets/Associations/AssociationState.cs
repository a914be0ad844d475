namespace Post.Sockets.Associations;

/// <summary>The life of an association.</summary>
internal enum AssociationState
{
    /// <summary>Sends and receives.</summary>
    Open,

    /// <summary>Takes nothing new to send; what was accepted comes to its end.</summary>
    Draining,

    /// <summary>Over.</summary>
    Closed,
}
