namespace Post.Sockets;

/// <summary>Why a sent object had its outcome.</summary>
public enum ObjectOutcomeReason
{
    /// <summary>Acked: the receiver handed it to its application.</summary>
    Delivered,

    /// <summary>Acked: the receiving application has processed it.</summary>
    Processed,

    /// <summary>Expired before its first byte was sent.</summary>
    BeforeSent,

    /// <summary>Expired in flight: partly sent, lost, or without a receipt in time.</summary>
    InFlight,

    /// <summary>Expired at the receiver, by its receipt.</summary>
    AtReceiver,

    /// <summary>Expired because an antecedent that it requires did.</summary>
    AntecedentExpired,

    /// <summary>Expired early because it could no longer arrive in time.</summary>
    TooLate,

    /// <summary>Rejected: larger than the receiver accepts.</summary>
    TooLarge,

    /// <summary>Rejected by the receiving application.</summary>
    Refused,

    /// <summary>Rejected: the receiver holds as much as it may.</summary>
    ReceiverLimit,

    /// <summary>Canceled by <see cref="SentObject.Cancel"/>.</summary>
    Canceled,

    /// <summary>Failed: the association was closed or lost.</summary>
    AssociationEnded,

    /// <summary>Failed: reading the stream or pipe of the object failed.</summary>
    SourceFailed,

    /// <summary>Failed: the connection was lost when part of it had gone, and its source can be read only once.</summary>
    ConnectionLost,
}
