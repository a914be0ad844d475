namespace Post.Quic.Engine.Congestion;

/// <summary>
/// What an acknowledgement says about the rate of deliveries (draft-ietf-ccwg-bbr section 2.3). It speaks of the newest packet that was
/// acknowledged. Sizes are bytes.
/// </summary>
internal readonly record struct DeliverySample
{
    /// <summary>Bytes a second; 0 where the interval was too short to tell.</summary>
    public long Rate { get; init; }

    /// <summary>Delivered between the sending of the packet and its acknowledgement.</summary>
    public long Delivered { get; init; }

    /// <summary>Delivered before the packet was sent, since the network is in use.</summary>
    public ulong PriorDelivered { get; init; }

    /// <summary>Delivered until now, since the network is in use.</summary>
    public ulong TotalDelivered { get; init; }

    /// <summary>The application, not the path, limited the rate.</summary>
    public bool IsAppLimited { get; init; }

    /// <summary>In flight when the packet had been sent, itself included.</summary>
    public long SentInFlight { get; init; }

    /// <summary>Taken for lost between the sending of the packet and its acknowledgement.</summary>
    public long Lost { get; init; }
}
