namespace Post.Sockets.Transport;

/// <summary>What became of the attempt to hand over a datagram.</summary>
public enum TransportDatagramResult
{
    /// <summary>Taken; <see cref="TransportEvents.OnDatagramState"/> will report its fate exactly once (plus maybe <see cref="TransportDatagramState.Sent"/> and <see cref="TransportDatagramState.Overdue"/>).</summary>
    Queued,

    /// <summary>Larger than the present <see cref="TransportConnection.MaxDatagramSize"/>.</summary>
    TooLarge,

    /// <summary>The queue is full: try again after the next report of a datagram.</summary>
    Full,

    /// <summary>No datagrams on this connection, or it has ended.</summary>
    Unavailable,
}
