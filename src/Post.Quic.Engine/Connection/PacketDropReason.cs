namespace Post.Quic.Engine.Connection;

/// <summary>Why a received packet went no further.</summary>
internal enum PacketDropReason : byte
{
    /// <summary>Not a packet, or not one for this connection.</summary>
    Malformed,
    UnknownConnectionId,
    UnexpectedVersion,

    /// <summary>Its keys are gone.</summary>
    KeysDiscarded,

    /// <summary>Its keys are not there and the room for waiting packets is full.</summary>
    KeysUnavailable,
    NotAuthentic,
    Duplicate,

    /// <summary>A Retry or Version Negotiation packet that cannot be taken any more, or is not valid.</summary>
    Unexpected,

    /// <summary>From an address that is not the peer's.</summary>
    UnknownPath,
}
