using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine.Datagrams;

/// <summary>A datagram that waits to be sent.</summary>
internal sealed class OutgoingDatagram : UrgencyHeapItem
{
    public ulong Number { get; set; }

    public ReadOnlyMemory<byte> Data { get; set; }

    /// <summary>Its age limit in microseconds of the connection's clock; <see cref="long.MaxValue"/> for none.</summary>
    public long Deadline { get; set; }
}
