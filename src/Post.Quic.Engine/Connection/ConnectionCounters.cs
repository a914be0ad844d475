namespace Post.Quic.Engine.Connection;

/// <summary>What a connection counts as it goes.</summary>
internal sealed class ConnectionCounters
{
    public long DatagramsSent { get; set; }

    public long DatagramsReceived { get; set; }

    public long BytesSent { get; set; }

    public long BytesReceived { get; set; }

    public long BytesSentBeside { get; set; }

    public long BytesReceivedBeside { get; set; }

    public long PacketsSent { get; set; }

    public long PacketsReceived { get; set; }

    /// <summary>A field: the struct is changed in place.</summary>
    public PacketDropCounts PacketsDropped;

    public long ProbeTimeouts { get; set; }

    public long KeyUpdates { get; set; }
}
