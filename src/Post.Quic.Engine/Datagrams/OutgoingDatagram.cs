using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine.Datagrams;

/// <summary>A datagram that waits to be sent.</summary>
internal sealed class OutgoingDatagram : UrgencyHeapItem
{
    public ulong Number { get; set; }

    public ReadOnlyMemory<byte> Data { get; set; }

    /// <summary>What it holds was sent before, and did not arrive as far as is known.</summary>
    public bool IsRepair { get; set; }
}
