namespace Post.Sockets.Protocol;

/// <summary>
/// The one table of codes of post/1: for closing the connection, resetting a stream and asking the peer to stop
/// sending (docs/protocol.md, section "Error codes").
/// </summary>
internal enum PostErrorCode : long
{
    /// <summary>Close: the end of ordinary work.</summary>
    NoError = 0x00,

    /// <summary>Any: a fault of ours, not of the peer.</summary>
    InternalError = 0x01,

    /// <summary>Stop, reset: this stream type is not known here.</summary>
    UnknownStreamType = 0x02,

    /// <summary>Close: a second control stream, or the end of the control stream.</summary>
    ControlStreamError = 0x03,

    /// <summary>Close: the control stream did not begin with HELLO, or HELLO did not come in time.</summary>
    MissingHello = 0x04,

    /// <summary>Close: a second HELLO.</summary>
    DuplicateHello = 0x05,

    /// <summary>Close: a control frame longer than any may be.</summary>
    FrameTooLong = 0x06,

    /// <summary>Close: the payload of a control frame does not follow its layout.</summary>
    FrameEncoding = 0x07,

    /// <summary>Close: the header of an object or of a Post stream does not follow its layout.</summary>
    HeaderEncoding = 0x08,

    /// <summary>Close: an object id that cannot be: a receipt for one never sent, one far beyond the window.</summary>
    IdError = 0x09,

    /// <summary>Close: the payload was shorter or longer than its header said.</summary>
    LengthMismatch = 0x0a,

    /// <summary>Close: more of something than this protocol ever allows.</summary>
    LimitExceeded = 0x0b,

    /// <summary>Close: an offset that cannot be: beyond the end, of bytes that were never sent, or payload before it was agreed on.</summary>
    OffsetError = 0x0c,

    /// <summary>Reset: the object's lifetime ended at the sender. Stop: it ended at the receiver.</summary>
    Expired = 0x10,

    /// <summary>Reset: the sending application took the object back.</summary>
    Canceled = 0x11,

    /// <summary>Stop: larger than the receiver accepts.</summary>
    TooLarge = 0x12,

    /// <summary>Stop: the receiving application does not want it.</summary>
    Refused = 0x13,

    /// <summary>Stop: this object has already come.</summary>
    Duplicate = 0x14,

    /// <summary>Reset, stop: an object that this one requires expired.</summary>
    AntecedentExpired = 0x15,

    /// <summary>Stop: the receiver holds as much as it may of objects that wait.</summary>
    ReceiverLimit = 0x16,

    /// <summary>Reset: the source of the object failed before its end.</summary>
    SourceFailed = 0x17,

    /// <summary>Reset, stop: the application ended its side of a Post stream early.</summary>
    StreamCanceled = 0x18,

    /// <summary>Reset, stop: the receiving application takes no Post streams, or not this one.</summary>
    StreamRefused = 0x19,

    /// <summary>Close: the listener's application refused the association.</summary>
    AssociationRefused = 0x20,

    /// <summary>Close: the application aborted the association.</summary>
    Aborted = 0x21,

    /// <summary>Close, stop: this end is going away and serves nothing new.</summary>
    GoingAway = 0x22,

    /// <summary>Close: another connection of the same association took this one's place.</summary>
    Superseded = 0x23,

    /// <summary>Close: the association that HELLO wants to resume is not known here.</summary>
    UnknownAssociation = 0x24,
}
