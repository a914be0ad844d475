using System.Net;
using System.Net.Sockets;

namespace Post.Sockets.Associations.Lifecycle;

/// <summary>Whom an association that waits is counted for: the key that the peer proved, else the network that it came from.</summary>
internal readonly record struct PeerScope(KeyFingerprint? Key, string Network)
{
    public static PeerScope Of(PeerIdentity? identity, EndPoint? endPoint)
    {
        if (identity?.Key is { } key)
        {
            return new PeerScope(key, string.Empty);
        }

        if (endPoint is not IPEndPoint { Address: var address })
        {
            return new PeerScope(null, endPoint?.ToString() ?? string.Empty);
        }

        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        // Whoever has one IPv6 address has the 2^64 of its network.
        return new PeerScope(
            null, address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8)) : address.ToString());
    }
}
