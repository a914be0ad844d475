namespace Post.Quic.Engine.Congestion;

/// <summary>A packet that was taken for lost, and what was known when it was sent. Times are microseconds, sizes are bytes.</summary>
internal readonly record struct LossSample
{
    public required long Now { get; init; }

    public required ulong PacketNumber { get; init; }

    public required long TimeSent { get; init; }

    public required int Size { get; init; }

    /// <summary>In flight when the packet had been sent, itself included.</summary>
    public required long SentInFlight { get; init; }

    /// <summary>Taken for lost since the packet was sent, itself included.</summary>
    public required long Lost { get; init; }

    /// <summary>Delivered until now, since the network is in use.</summary>
    public required ulong TotalDelivered { get; init; }

    /// <summary>The application, not the path, limited what was sent at that time.</summary>
    public required bool IsAppLimited { get; init; }
}
