using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary>Turns the endpoints and interface names of a <see cref="Local"/> into addresses to bind.</summary>
internal static class LocalAddresses
{
    /// <summary>The address to connect from; null: whatever the system chooses, where the Local leaves it to it.</summary>
    /// <param name="local">The Local.</param>
    /// <param name="family">The family of the remote's address.</param>
    /// <exception cref="TransportException">The Local names addresses, and from none of them an address of that family can be reached.</exception>
    public static IPEndPoint? ForConnecting(Local local, AddressFamily family)
    {
        List<IPEndPoint> candidates = Resolve(local);
        return candidates.FirstOrDefault(candidate => candidate.AddressFamily == family || candidate.Address.Equals(IPAddress.IPv6Any))
            ?? (local.EndPoints.Count == 0 && local.Interfaces.Count == 0
                ? null
                : throw new TransportException(
                    TransportErrorReason.LocalAddressUnavailable,
                    $"The Local allows {(candidates.Count == 0 ? "no address" : string.Join(", ", candidates))}, from which no "
                    + $"{(family == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4")} address can be reached. Add one of that family to "
                    + "Local.EndPoints (or another interface to Local.Interfaces), or leave the choice to the system."));
    }

    /// <summary>The addresses to listen on: all of them, on a free port, where the Local names none.</summary>
    /// <param name="local">The Local.</param>
    /// <param name="canLeaveIPv4">
    /// The transport can listen on IPv6 alone: beside an IPv4 address of the same port, <c>[::]</c> then leaves IPv4 to it. Else it serves both.
    /// </param>
    public static IReadOnlyList<ListenAddress> ForListening(Local local, bool canLeaveIPv4)
    {
        if (local.EndPoints.Count == 0 && local.Interfaces.Count == 0)
        {
            return [new ListenAddress(new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, 0), DualMode: true)];
        }

        // What a wildcard of the list serves anyway needs no socket of its own, and could not have one.
        IPEndPoint[] wanted = [.. Resolve(local).Distinct()];
        return [.. wanted
            .Where(one => one.Port == 0 || !wanted.Any(other => other != one && other.Port == one.Port && Covers(other, one, canLeaveIPv4)))
            .Select(one => new ListenAddress(one, DualMode: !canLeaveIPv4 || !wanted.Any(other =>
                other.AddressFamily == AddressFamily.InterNetwork && other.Port == one.Port)))];
    }

    private static bool Covers(IPEndPoint wildcard, IPEndPoint other, bool canLeaveIPv4) =>
        (wildcard.Address.Equals(IPAddress.Any) && other.AddressFamily == AddressFamily.InterNetwork)
        || (wildcard.Address.Equals(IPAddress.IPv6Any) && (!canLeaveIPv4 || other.AddressFamily == AddressFamily.InterNetworkV6));

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
