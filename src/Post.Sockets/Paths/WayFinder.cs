using System.Net;
using System.Net.Sockets;
using Post.Sockets.Transport;

namespace Post.Sockets.Paths;

/// <summary>
/// Finds the ways from this machine to a peer that a Local allows, the best first: not metered before metered, then in the order of the
/// Local's interfaces and endpoints, then what the machine itself would choose.
/// </summary>
internal sealed class WayFinder
{
    private readonly Local _local;
    private readonly IPEndPoint[] _endPoints;

    public WayFinder(Local local)
    {
        _local = local;
        _endPoints = [.. local.EndPoints.OfType<IPEndPoint>()];
    }

    /// <param name="machine">What the machine has.</param>
    /// <param name="remotes">The peer's addresses, the one in use first.</param>
    public List<Way> Find(InterfaceSnapshot machine, IReadOnlyList<IPEndPoint> remotes)
    {
        var found = new List<(Way Way, (bool, int, bool, int, int) Rank)>();
        for (var r = 0; r < remotes.Count; r++)
        {
            var remote = remotes[r];
            var source = machine.SourceTo(remote.Address);
            for (var i = 0; i < machine.Interfaces.Count; i++)
            {
                var one = machine.Interfaces[i];
                var order = OrderOf(one);
                if (!one.IsUp || order < 0 || FindAddress(one, remote.Address, source) is not { } from)
                {
                    continue;
                }

                var isMetered = one.IsMetered || _local.MeteredInterfaces.Contains(one.Name);
                found.Add((
                    new Way(new IPEndPoint(from.Address, from.Port), remote, one.Name, isMetered),
                    (isMetered, order + from.Order, !from.Address.Equals(source), i, r)));

                // Endpoints that are named one by one are ways of their own, even on one interface.
                foreach (var other in Named(one, remote.Address).Where(other => !other.Address.Equals(from.Address)))
                {
                    found.Add((
                        new Way(new IPEndPoint(other.Address, other.Port), remote, one.Name, isMetered),
                        (isMetered, order + other.Order, !other.Address.Equals(source), i, r)));
                }
            }
        }

        found.Sort(static (a, b) => a.Rank.CompareTo(b.Rank));
        return found.ConvertAll(static one => one.Way);
    }

    /// <summary>Whether a machine has an address on an interface that is up and that the Local allows.</summary>
    public bool Has(InterfaceSnapshot machine, IPAddress address) => machine.Interfaces.Any(one =>
        one.IsUp && OrderOf(one) >= 0 && IsOn(one, address));

    /// <summary>Whether a machine has an address at all, on an interface that may be down.</summary>
    public static HostInterface? FindInterface(InterfaceSnapshot machine, IPAddress address) =>
        machine.Interfaces.FirstOrDefault(one => IsOn(one, address));

    /// <summary>All of 127.0.0.0/8 is this machine's, though no list of addresses has it.</summary>
    private static bool IsOn(HostInterface one, IPAddress address) =>
        one.Addresses.Contains(address)
        || (address.AddressFamily == AddressFamily.InterNetwork && IPAddress.IsLoopback(address) && one.Addresses.Contains(IPAddress.Loopback));

    /// <summary>The place of an interface in the Local's order; negative where the Local does not allow it.</summary>
    private int OrderOf(HostInterface one)
    {
        if (_local.Interfaces.Count == 0)
        {
            return 0;
        }

        for (var i = 0; i < _local.Interfaces.Count; i++)
        {
            if (_local.Interfaces[i] == one.Name)
            {
                return i;
            }
        }

        return -1;
    }

    private (IPAddress Address, int Port, int Order)? FindAddress(HostInterface one, IPAddress remote, IPAddress? source)
    {
        foreach (var named in Named(one, remote))
        {
            return named;
        }

        var port = 0;
        var order = 0;
        if (_endPoints.Length > 0)
        {
            order = Array.FindIndex(_endPoints, endPoint => IsWildcardFor(endPoint, remote));
            if (order < 0)
            {
                return null;
            }

            port = _endPoints[order].Port;
        }

        if (source is not null && one.Addresses.Contains(source))
        {
            return (source, port, order);
        }

        if (!one.Reaches(remote))
        {
            return null;
        }

        return one.Addresses.FirstOrDefault(address => Fits(address, remote)) is { } fitting ? (fitting, port, order) : null;
    }

    /// <summary>The endpoints of the Local with an address of this interface.</summary>
    private IEnumerable<(IPAddress Address, int Port, int Order)> Named(HostInterface one, IPAddress remote)
    {
        for (var i = 0; i < _endPoints.Length; i++)
        {
            var endPoint = _endPoints[i];
            if (!IsWildcard(endPoint.Address) && IsOn(one, endPoint.Address) && Fits(endPoint.Address, remote))
            {
                yield return (endPoint.Address, endPoint.Port, i);
            }
        }
    }

    private static bool IsWildcard(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static bool IsWildcardFor(IPEndPoint endPoint, IPAddress remote) =>
        endPoint.Address.Equals(IPAddress.IPv6Any)
        || (endPoint.Address.Equals(IPAddress.Any) && remote.AddressFamily == AddressFamily.InterNetwork);

    /// <summary>Of one family and scope: what is sent from a narrower scope than it goes to does not come back (RFC 6724 section 5, rule 2).</summary>
    private static bool Fits(IPAddress local, IPAddress remote) =>
        local.AddressFamily == remote.AddressFamily
        && IPAddress.IsLoopback(local) == IPAddress.IsLoopback(remote)
        && (IsLinkLocal(local) == IsLinkLocal(remote))
        && (!remote.IsIPv6LinkLocal || remote.ScopeId == 0 || remote.ScopeId == local.ScopeId);

    private static bool IsLinkLocal(IPAddress address) =>
        address.IsIPv6LinkLocal || (address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes() is [169, 254, ..]);
}
