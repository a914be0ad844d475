namespace Post.Sockets.Associations.Ownership;

/// <summary>The life of an association.</summary>
internal enum AssociationPhase
{
    /// <summary>Sends and receives.</summary>
    Open,

    /// <summary>Takes nothing new to send; what was accepted comes to its end.</summary>
    Draining,

    /// <summary>Over.</summary>
    Closed,
}
