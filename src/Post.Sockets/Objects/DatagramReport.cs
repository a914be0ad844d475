namespace Post.Sockets.Objects;

/// <summary>What is reported of the datagram of an object.</summary>
internal enum DatagramReport
{
    /// <summary>It left.</summary>
    Sent,

    /// <summary>Its acknowledgement has not come when it should have.</summary>
    Overdue,

    /// <summary>The peer's transport has it.</summary>
    Acknowledged,

    /// <summary>It is taken to be lost.</summary>
    Lost,

    /// <summary>It was never sent.</summary>
    Canceled,
}
