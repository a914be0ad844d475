using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace FileTransfer.Commands;

/// <summary>Where a server listens, and how others reach it there.</summary>
internal static class ListenAddresses
{
    /// <summary>As many as are worth a try: the ticket stays short enough to be copied.</summary>
    private const int MaxInTicket = 6;

    /// <summary>Every address of this machine: of both families, where it has both.</summary>
    public static IPEndPoint Everywhere(int port) => new(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port);

    /// <summary>The addresses that others can use, the likeliest first: for a server that listens everywhere, those of this machine.</summary>
    public static List<IPEndPoint> Reachable(IPEndPoint listening)
    {
        var isEvery = listening.Address.Equals(IPAddress.Any) || listening.Address.Equals(IPAddress.IPv6Any);
        if (!isEvery)
        {
            return [listening];
        }

        var found = new List<IPAddress>();
        try
        {
            found.AddRange(NetworkInterface.GetAllNetworkInterfaces()
                .Where(one => one.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
                .SelectMany(one => one.GetIPProperties().UnicastAddresses)
                .Select(one => one.Address)
                .Where(address => !address.IsIPv6LinkLocal
                    && (address.AddressFamily == AddressFamily.InterNetwork || listening.AddressFamily == AddressFamily.InterNetworkV6)));
        }
        catch (NetworkInformationException)
        {
            // A machine that does not tell; the loopback address holds on every one.
        }

        return
        [
            .. found.DefaultIfEmpty(IPAddress.Loopback)
                .OrderBy(address => IPAddress.IsLoopback(address))
                .ThenBy(address => address.AddressFamily == AddressFamily.InterNetworkV6)
                .Select(address => new IPEndPoint(address, listening.Port)),
        ];
    }

    /// <summary>The addresses for a ticket: those that other machines can use, or the loopback ones where there are no others.</summary>
    public static IEnumerable<string> ForTicket(IReadOnlyList<IPEndPoint> reachable)
    {
        var others = reachable.Where(endPoint => !IPAddress.IsLoopback(endPoint.Address)).ToList();
        return (others.Count > 0 ? others : reachable)
            .Where(endPoint => endPoint.Address.AddressFamily == AddressFamily.InterNetwork || endPoint.Address.ScopeId == 0)
            .Select(endPoint => endPoint.Address.ToString())
            .Take(MaxInTicket);
    }
}
