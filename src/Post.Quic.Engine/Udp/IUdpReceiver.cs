namespace Post.Quic.Engine.Udp;

/// <summary>
/// Whom a socket calls. One call at a time for a socket, on its reactor's thread, which other sockets may share: so no
/// call waits for anything, and none throws (an exception closes the socket and comes out of
/// <see cref="UdpSocket.Completion"/>).
/// </summary>
internal interface IUdpReceiver
{
    /// <summary>Datagrams arrived.</summary>
    void OnReceive(UdpReceiveBatch batch);

    /// <summary>The network says that a datagram did not arrive; only where <see cref="UdpSocketOptions.HearErrors"/> asks for it.</summary>
    void OnError(in UdpError error)
    {
    }

    /// <summary>After <see cref="UdpSendResult.WouldBlock"/>: there is room in the send buffer again.</summary>
    void OnWritable();
}
