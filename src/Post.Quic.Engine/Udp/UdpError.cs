using System.Net.Sockets;
using Post.Quic.Engine.Addressing;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// What the network says became of a datagram of ours (ICMP). Anybody can say so, who knows the addresses and the port; only the bytes
/// that are quoted show that it saw the datagram.
/// </summary>
/// <param name="remote">Where the datagram was sent to.</param>
/// <param name="error">What is said of it.</param>
/// <param name="quoted">The beginning of the datagram, as far as it was quoted; maybe nothing.</param>
internal readonly ref struct UdpError(NetworkAddress remote, SocketError error, ReadOnlySpan<byte> quoted)
{
    public NetworkAddress Remote { get; } = remote;

    public SocketError Error { get; } = error;

    public ReadOnlySpan<byte> Quoted { get; } = quoted;
}
