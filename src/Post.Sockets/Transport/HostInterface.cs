using System.Net;

namespace Post.Sockets.Transport;

/// <summary>A network interface of the machine, as it was at one moment.</summary>
public sealed record HostInterface
{
    /// <summary>The name that the system gives it, for example <c>eth0</c>.</summary>
    public required string Name { get; init; }

    /// <summary>It is switched on and has a carrier: packets can leave by it.</summary>
    public required bool IsUp { get; init; }

    /// <summary>Its addresses that can be sent from, in the order of the system.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; init; } = [];

    /// <summary>The destinations to which the machine has a route over it; a default route is the network of length 0.</summary>
    public IReadOnlyList<IPNetwork> Routes { get; init; } = [];

    /// <summary>The system says that its traffic is paid for. <see cref="Local.MeteredInterfaces"/> marks others.</summary>
    public bool IsMetered { get; init; }

    /// <summary>Whether the machine has a route to an address over it.</summary>
    /// <param name="address">The address.</param>
    public bool Reaches(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        foreach (var route in Routes)
        {
            if (route.Contains(address))
            {
                return true;
            }
        }

        return false;
    }
}
