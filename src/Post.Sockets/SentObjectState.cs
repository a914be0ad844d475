namespace Post.Sockets;

/// <summary>The progress of a sent object. It never goes back.</summary>
public enum SentObjectState
{
    /// <summary>Waiting for its turn, or partly sent.</summary>
    Queued,

    /// <summary>All of it was handed to the transport.</summary>
    Sent,

    /// <summary>The peer's transport has all of it; its application may not have seen it yet.</summary>
    TransportAcknowledged,

    /// <summary>It is complete: see <see cref="Receipt"/>.</summary>
    Completed,
}
