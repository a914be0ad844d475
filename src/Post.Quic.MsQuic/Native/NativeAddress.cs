using System.Net;
using System.Net.Sockets;

namespace Post.Quic.MsQuic.Native;

/// <summary>msquic's QUIC_ADDR: the platform's own socket address, always with the room of an IPv6 one.</summary>
internal static class NativeAddress
{
    public const int Size = 28;

    public static byte[] Of(IPEndPoint endPoint)
    {
        byte[] native = new byte[Size];
        SocketAddress address = endPoint.Serialize();
        address.Buffer.Span[..Math.Min(address.Size, Size)].CopyTo(native);
        return native;
    }

    public static IPEndPoint? Read(ReadOnlySpan<byte> native)
    {
        var address = new SocketAddress(AddressFamily.InterNetworkV6, Size);
        native[..Size].CopyTo(address.Buffer.Span);
        return address.Family switch
        {
            AddressFamily.InterNetwork => (IPEndPoint)new IPEndPoint(IPAddress.Any, 0).Create(Shortened(address)),
            AddressFamily.InterNetworkV6 => (IPEndPoint)new IPEndPoint(IPAddress.IPv6Any, 0).Create(address),
            _ => null,
        };
    }

    private static SocketAddress Shortened(SocketAddress address)
    {
        var shortened = new SocketAddress(AddressFamily.InterNetwork);
        address.Buffer.Span[..shortened.Size].CopyTo(shortened.Buffer.Span);
        return shortened;
    }
}
