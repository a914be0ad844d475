using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Udp;

namespace Post.Quic.Engine.Endpoint;

/// <summary>Where a connection's datagrams go out.</summary>
internal interface IDatagramSender
{
    /// <summary>Sends a batch from the socket that has its local address. Never blocks.</summary>
    UdpSendResult Send(ReadOnlySpan<byte> payload, in OutgoingDatagrams batch, out int sent);

    /// <summary>Wakes the driver when the socket that was full has room again.</summary>
    void WakeWhenWritable(ConnectionDriver driver, in OutgoingDatagrams batch);
}
