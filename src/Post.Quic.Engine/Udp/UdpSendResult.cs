namespace Post.Quic.Engine.Udp;

/// <summary>What became of datagrams handed to the kernel. Whatever it is, it is no exception: QUIC recovers from loss.</summary>
internal enum UdpSendResult
{
    /// <summary>All of them are the kernel's now.</summary>
    Sent,

    /// <summary>The send buffer is full; <see cref="IUdpReceiver.OnWritable"/> follows.</summary>
    WouldBlock,

    /// <summary>The datagrams exceed what the interface or a known path carries: the MTU must come down.</summary>
    TooBig,

    /// <summary>There is no way to that address from here at the moment: no route, no neighbour, or the local address is gone.</summary>
    Unreachable,

    /// <summary>The kernel dropped them for a reason of its own, such as a packet filter or lack of memory: count them as lost.</summary>
    Dropped,

    /// <summary>The socket is closed.</summary>
    Closed,
}
