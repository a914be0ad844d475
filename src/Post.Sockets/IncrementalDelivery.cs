namespace Post.Sockets;

/// <summary>Which objects are shown to the application while they are still arriving.</summary>
public enum IncrementalDelivery
{
    /// <summary>None: each is delivered whole or not at all, and what is too large is rejected.</summary>
    Never,

    /// <summary>
    /// Those larger than <see cref="AssociationOptions.MaxWholeObjectSize"/>, of a length unknown at their start, or with an
    /// <see cref="ObjectProperties.DurableId"/>.
    /// </summary>
    WhenLarge,

    /// <summary>All that do not come in one piece.</summary>
    Always,
}
