using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary>Turns the endpoints and interface names of a <see cref="Local"/> into addresses to bind.</summary>
internal static class LocalAddresses
{
    /// <summary>The address to connect from; null: whatever the system chooses.</summary>
    /// <param name="local">The Local.</param>
    /// <param name="family">The family of the remote's address.</param>
    public static IPEndPoint? ForConnecting(Local local, AddressFamily family) => Resolve(local).FirstOrDefault(candidate =>
        candidate.AddressFamily == family || candidate.Address.Equals(IPAddress.IPv6Any));

    /// <summary>The addresses to listen on: all of them, on a free port, where the Local names none.</summary>
    public static IReadOnlyList<IPEndPoint> ForListening(Local local) =>
        local.EndPoints.Count == 0 && local.Interfaces.Count == 0
            ? [new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, 0)]
            : Resolve(local);

    private static List<IPEndPoint> Resolve(Local local)
    {
        var resolved = new List<IPEndPoint>();
        foreach (EndPoint endPoint in local.EndPoints)
        {
            resolved.Add(endPoint as IPEndPoint ?? throw new TransportException(
                TransportErrorReason.NotSupported,
                $"'{endPoint}' is no IP endpoint. Give Local.EndPoints addresses and ports (IPEndPoint)."));
        }

        if (local.Interfaces.Count == 0)
        {
            return resolved;
        }

        int port = resolved.Count == 0 ? 0 : resolved[0].Port;
        var onInterfaces = new List<IPEndPoint>();
        foreach (string name in local.Interfaces)
        {
            onInterfaces.AddRange(AddressesOf(name).Select(address => new IPEndPoint(address, port)));
        }

        // Both given: only the endpoints whose address is on one of the interfaces.
        IPEndPoint[] both = [.. resolved.Where(endPoint => onInterfaces.Any(other => other.Address.Equals(endPoint.Address)))];
        return both.Length > 0 ? [.. both] : onInterfaces;
    }

    private static IEnumerable<IPAddress> AddressesOf(string interfaceName)
    {
        NetworkInterface found = NetworkInterface.GetAllNetworkInterfaces().FirstOrDefault(one => one.Name == interfaceName)
            ?? throw new TransportException(
                TransportErrorReason.LocalAddressUnavailable,
                $"This machine has no network interface named '{interfaceName}'. Correct Local.Interfaces; it has: "
                + string.Join(", ", NetworkInterface.GetAllNetworkInterfaces().Select(one => one.Name)) + ".");
        return found.GetIPProperties().UnicastAddresses.Select(unicast => unicast.Address);
    }
}
