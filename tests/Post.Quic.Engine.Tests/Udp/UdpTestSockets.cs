using System.Net;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Udp;

namespace Post.Quic.Engine.Tests.Udp;

/// <summary>Opens sockets for tests by the name of their kind, on loopback addresses.</summary>
internal static class UdpTestSockets
{
    public const string Linux = nameof(UdpSocketKind.Linux);
    public const string Portable = nameof(UdpSocketKind.Portable);

    public static UdpSocket Open(string kind, string address, Func<UdpSocketOptions, UdpSocketOptions>? change = null)
    {
        var options = new UdpSocketOptions { LocalAddress = Address(address), Kind = Enum.Parse<UdpSocketKind>(kind) };
        if (kind == Linux && !LinuxUdpSocket.IsSupported)
        {
            Assert.Inconclusive("The Linux socket is for Linux on x64 or arm64.");
        }

        return UdpSocket.Create(change?.Invoke(options) ?? options);
    }

    public static (UdpSocket Socket, CollectingReceiver Receiver) Start(
        string kind, string address, Func<UdpSocketOptions, UdpSocketOptions>? change = null)
    {
        UdpSocket socket = Open(kind, address, change);
        var receiver = new CollectingReceiver();
        socket.Start(receiver);
        return (socket, receiver);
    }

    public static NetworkAddress Address(string address, int port = 0) =>
        NetworkAddress.FromEndPoint(new IPEndPoint(IPAddress.Parse(address), port));

    public static UdpRoute To(UdpSocket socket, string? host = null) =>
        new(host is null ? socket.LocalAddress : Address(host, socket.LocalAddress.Port));

    /// <summary>Bytes that tell which datagram they belong to and where in it they stand.</summary>
    public static byte[] Pattern(int length, int seed = 0)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
