namespace Post.Quic.Engine;

/// <summary>What became of the attempt to send a datagram.</summary>
public enum QuicDatagramResult
{
    /// <summary>Taken; its states are reported to <see cref="QuicConnectionEvents.OnDatagramState"/>.</summary>
    Queued,

    /// <summary>Larger than <see cref="QuicConnection.MaxDatagramSize"/>.</summary>
    TooLarge,

    /// <summary>The queue is full; try again after a datagram was reported sent.</summary>
    QueueFull,

    /// <summary>The peer takes no datagrams, or the connection has ended.</summary>
    Unavailable,
}
