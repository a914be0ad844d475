using System.Net;

namespace Post.Sockets.Paths;

/// <summary>What tells one way from another: our address, and the peer's address and port.</summary>
internal sealed record WayKey(IPAddress Local, IPEndPoint Remote)
{
    /// <summary>A dual-mode socket shows IPv4 addresses as IPv6 ones (RFC 4291 section 2.5.5.2).</summary>
    public static WayKey Of(IPEndPoint local, IPEndPoint remote) => new(Plain(local.Address), Plain(remote));

    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    public static IPEndPoint Plain(IPEndPoint endPoint) =>
        endPoint.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(endPoint.Address.MapToIPv4(), endPoint.Port) : endPoint;
}
