using Post.Quic.Engine.Addressing;

namespace Post.Quic.Engine.Udp;

/// <summary>Where datagrams go, and from where.</summary>
/// <param name="Remote">The destination.</param>
/// <param name="Local">The source address, or <see cref="NetworkAddress.None"/> for the kernel's choice. Its port is the socket's.</param>
/// <param name="InterfaceIndex">The interface to leave by, or 0 for the kernel's choice.</param>
internal readonly record struct UdpRoute(NetworkAddress Remote, NetworkAddress Local = default, int InterfaceIndex = 0);
