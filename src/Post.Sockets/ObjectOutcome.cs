namespace Post.Sockets;

/// <summary>What became of a sent object: exactly one of these.</summary>
public enum ObjectOutcome
{
    /// <summary>The receiver handed it to its application.</summary>
    Acked,

    /// <summary>It was not delivered in time; the reason says where it expired.</summary>
    Expired,

    /// <summary>The receiver rejected it.</summary>
    Rejected,

    /// <summary>The sender canceled it.</summary>
    Canceled,

    /// <summary>The association ended first, or the object's source failed.</summary>
    Failed,
}
