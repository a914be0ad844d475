namespace Post.Quic.Engine.Udp;

/// <summary>Which implementation of the socket serves.</summary>
internal enum UdpSocketKind
{
    /// <summary>The Linux one where it can, else the portable one.</summary>
    Auto,

    /// <summary>System.Net.Sockets only: everywhere, one datagram a call.</summary>
    Portable,

    /// <summary>sendmsg and recvmsg on Linux (x64, arm64): batches, ECN, packet info.</summary>
    Linux,
}
