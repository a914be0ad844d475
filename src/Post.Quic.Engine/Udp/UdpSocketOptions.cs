using Post.Quic.Engine.Addressing;

namespace Post.Quic.Engine.Udp;

/// <summary>How to open a socket.</summary>
internal sealed record UdpSocketOptions
{
    /// <summary>The address to bind to; its family is the socket's. Port 0 lets the kernel choose.</summary>
    public required NetworkAddress LocalAddress { get; init; }

    /// <summary>An IPv6 socket serves IPv4 too, where it is bound to the unspecified address.</summary>
    public bool DualMode { get; init; } = true;

    public UdpSocketKind Kind { get; init; } = UdpSocketKind.Auto;

    /// <summary>
    /// Bytes asked of the kernel, which may grant less (net.core.rmem_max). A burst at 10 Gbit/s fills 4 MiB in 3 ms: the
    /// time in which the receiving thread must get to run.
    /// </summary>
    public int ReceiveBufferSize { get; init; } = 4 << 20;

    public int SendBufferSize { get; init; } = 4 << 20;

    /// <summary>
    /// A thread of its own for the socket, as a server's socket wants it; else it shares the one of all client sockets.
    /// </summary>
    public bool DedicatedThread { get; init; }

    /// <summary>
    /// Listen to what the network says of datagrams that did not arrive, where the platform tells. Not for servers: each client that has
    /// gone would cost them a system call.
    /// </summary>
    public bool HearErrors { get; init; }

    /// <summary>
    /// See which address of this machine a datagram was sent to, where the socket is bound to none: whoever answers must answer from there.
    /// </summary>
    public bool SeeLocal { get; init; } = true;

    /// <summary>The number of the interface that datagrams leave by; 0: the routes decide.</summary>
    public int InterfaceIndex { get; init; }

    /// <summary>A socket on the same port and no address is open already, and leaves this address to this one.</summary>
    public bool BesideWildcard { get; init; }

    /// <summary>Use UDP_SEGMENT where it is there.</summary>
    public bool AllowSegmentation { get; init; } = true;

    /// <summary>Use UDP_GRO where it is there.</summary>
    public bool AllowCoalescing { get; init; } = true;
}
