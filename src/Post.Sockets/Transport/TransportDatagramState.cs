namespace Post.Sockets.Transport;

/// <summary>The fate of a datagram.</summary>
public enum TransportDatagramState
{
    /// <summary>It left; not final.</summary>
    Sent,

    /// <summary>
    /// Its acknowledgement has not come when it should have: most likely it was lost, but its fate is still to be reported. Not final; a
    /// transport need not report it.
    /// </summary>
    Overdue,

    /// <summary>The peer's transport has it; final.</summary>
    Acknowledged,

    /// <summary>It is taken to be lost; final (that it arrived after all is not reported).</summary>
    Lost,

    /// <summary>It was never sent (too large after the path changed, canceled, connection closed); final.</summary>
    Canceled,
}
