namespace Post.Sockets.Protocol;

/// <summary>Why the sender will not send an object, or not the rest of it.</summary>
internal enum AbandonReason : long
{
    /// <summary>Its lifetime ran out.</summary>
    Expired = 0x00,

    /// <summary>It could no longer arrive in time.</summary>
    TooLate = 0x01,

    /// <summary>An object that it requires expired.</summary>
    AntecedentExpired = 0x02,

    /// <summary>The sending application took it back.</summary>
    Canceled = 0x03,

    /// <summary>Its source failed before its end.</summary>
    SourceFailed = 0x04,

    /// <summary>It was sent once, as a datagram that was lost, and is not to be retransmitted.</summary>
    Lost = 0x05,
}
