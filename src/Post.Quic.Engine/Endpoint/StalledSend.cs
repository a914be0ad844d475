using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Udp;

namespace Post.Quic.Engine.Endpoint;

/// <summary>A batch of which the socket has taken only a part.</summary>
/// <param name="Buffer">Where it is.</param>
/// <param name="Batch">Where it goes.</param>
/// <param name="Offset">Bytes of it that were sent.</param>
internal readonly record struct StalledSend(UdpBuffer Buffer, OutgoingDatagrams Batch, int Offset)
{
    public ReadOnlySpan<byte> Rest => Buffer.Span[Offset..Batch.Length];
}
