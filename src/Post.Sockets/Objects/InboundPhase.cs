namespace Post.Sockets.Objects;

/// <summary>How far an arriving object is in its life.</summary>
internal enum InboundPhase : byte
{
    /// <summary>Some of its bytes are still to come.</summary>
    Arriving,

    /// <summary>All bytes came.</summary>
    Complete,

    /// <summary>It will not be delivered, or not whole: expired, abandoned, rejected, or the association ended.</summary>
    Gone,
}
