using System.Net;
using Post.Sockets;

namespace Post.Quic;

/// <summary>Where to look for a <see cref="Remote"/>, in the order to try.</summary>
internal static class RemoteAddresses
{
    public static IEnumerable<EndPoint> Of(Remote remote)
    {
        if (remote.Addresses.Count > 0)
        {
            return remote.Addresses.Select(EndPoint (address) => new IPEndPoint(address, remote.Port));
        }

        return
        [
            IPAddress.TryParse(remote.Host, out IPAddress? literal)
                ? new IPEndPoint(literal, remote.Port)
                : new DnsEndPoint(remote.Host, remote.Port),
        ];
    }
}
