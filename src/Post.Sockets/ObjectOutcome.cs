namespace Post.Sockets;

/// <summary>What became of a sent object: exactly one of these.</summary>
public enum ObjectOutcome
{
    /// <summary>The far end handed it to its application.</summary>
    Acked,

    /// <summary>It was not delivered in time; the reason says where it died.</summary>
    Expired,

    /// <summary>The receiver did not want it.</summary>
    Rejected,

    /// <summary>The sender took it back.</summary>
    Canceled,

    /// <summary>The association ended first, or the object's source failed.</summary>
    Failed,
}
