namespace Post.Sockets.Protocol;

/// <summary>The flags of an object header: which optional fields follow, and how the object is to be treated.</summary>
[Flags]
internal enum ObjectFlags : long
{
    None = 0,

    /// <summary>The time of sending and the lifetime follow; without them the lifetime is infinite.</summary>
    HasLifetime = 0x01,

    /// <summary>Antecedents follow.</summary>
    HasAntecedents = 0x02,

    /// <summary>Metadata follows.</summary>
    HasMetadata = 0x04,

    /// <summary>The length of the payload follows.</summary>
    HasLength = 0x08,

    /// <summary>An antecedent that expires stops blocking; without it this object expires too. Only with antecedents.</summary>
    OrderOnly = 0x10,

    /// <summary>The receipt is to be sent at once.</summary>
    ImmediateReceipt = 0x20,

    /// <summary>May be received twice, so it may come as early data.</summary>
    SafeToReplay = 0x40,

    /// <summary>Sent once only.</summary>
    NoRetransmit = 0x80,

    /// <summary>The offset in the object at which its payload begins here follows.</summary>
    HasOffset = 0x100,

    /// <summary>The durable id follows. Without an offset beside it, the sender waits to be told where to begin.</summary>
    HasDurableId = 0x200,
}
