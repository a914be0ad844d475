namespace Post.Sockets.Objects;

/// <summary>How far a sent object is in its life, as its rules see it.</summary>
internal enum OutboundPhase : byte
{
    /// <summary>Something of it is still to be handed over.</summary>
    Sending,

    /// <summary>All of it was handed over; the receiver has not said what became of it.</summary>
    HandedOver,

    /// <summary>Its lifetime ended with all bytes out: the receiver has until the grace ends to tell.</summary>
    Grace,

    /// <summary>It has its end, and its memory is still in use.</summary>
    Ended,

    /// <summary>Its end is told to the application.</summary>
    Completed,
}
