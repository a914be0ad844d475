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

    /// <summary>There is no route to that address from here at the moment.</summary>
    Unreachable,

    /// <summary>There is a route, and the host or the router behind it does not answer.</summary>
    HostUnreachable,

    /// <summary>The source address asked for is no longer of this machine.</summary>
    SourceGone,

    /// <summary>That address cannot be sent to from this one: a loopback address reaches no other machine.</summary>
    InvalidAddress,

    /// <summary>The machine does not send there: a broadcast address.</summary>
    NotPermitted,

    /// <summary>The kernel dropped them for a reason of its own, such as a packet filter or lack of memory: count them as lost.</summary>
    Dropped,

    /// <summary>The socket is closed.</summary>
    Closed,
}
