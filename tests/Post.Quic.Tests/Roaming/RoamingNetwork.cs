using System.Diagnostics;
using Post.Tests;

namespace Post.Quic.Tests.Roaming;

/// <summary>
/// A client's machine and a server's, each a network namespace, with links between them that can be spoiled in every way that happens to
/// laptops. Default routes go over each link, the first preferred, and no rule ties a source address to its link: as on every laptop.
/// </summary>
internal sealed class RoamingNetwork : IDisposable
{
    public const string ServerHost = "10.78.0.1";

    private static int _count;

    private readonly string _name = $"pq{Environment.ProcessId}x{Interlocked.Increment(ref _count)}";

    private RoamingNetwork()
    {
    }

    private string There => _name + "s";

    private string Here => _name + "c";

    /// <summary>Skipped where namespaces are not permitted.</summary>
    public static RoamingNetwork Create(int links, string? shape = null)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Assert.Inconclusive("Network namespaces need Linux and root.");
        }

        var network = new RoamingNetwork();
        try
        {
            SystemCommand.Run($"ip netns add {network.There}");
            SystemCommand.Run($"ip netns add {network.Here}");
            network.OnServer("ip link set lo up");
            network.OnServer($"ip addr add {ServerHost}/32 dev lo");
            network.OnClient("ip link set lo up");
            for (int link = 1; link <= links; link++)
            {
                network.AddLink(link);
                if (shape is not null)
                {
                    network.OnServer($"tc qdisc add dev s{link} root {shape}");
                    network.OnClient($"tc qdisc add dev c{link} root {shape}");
                }
            }
        }
        catch
        {
            network.Dispose();
            throw;
        }

        return network;
    }

    /// <summary>A link with an address and a default route of its own at the client.</summary>
    public void AddLink(int link)
    {
        OnClient($"ip link add c{link} type veth peer name s{link} netns {There}");
        OnServer($"ip addr add 10.78.{link}.1/24 dev s{link}");
        OnServer($"ip link set s{link} up");
        OnClient($"ip link set c{link} up");
        Address(link, 2);
    }

    /// <summary>Gives the client an address on a link, and the route that comes with it.</summary>
    public void Address(int link, int host)
    {
        OnClient($"ip addr add 10.78.{link}.{host}/24 dev c{link}");
        OnClient($"ip route replace default via 10.78.{link}.1 dev c{link} metric {100 * link}");
    }

    /// <summary>From now on the link loses all that it is given, and tells nobody.</summary>
    public void Silence(int link)
    {
        const string Nobody = "lladdr 02:00:00:00:00:99 nud permanent";
        OnClient($"ip neigh replace 10.78.{link}.1 {Nobody} dev c{link}");
        OnServer($"ip neigh replace 10.78.{link}.2 {Nobody} dev s{link}");
    }

    public void OnClient(string command) => SystemCommand.Run($"ip netns exec {Here} {command}");

    public void OnServer(string command) => SystemCommand.Run($"ip netns exec {There} {command}");

    /// <summary>How to start a process on one of the two machines.</summary>
    public string[] At(bool server) => ["ip", "netns", "exec", server ? There : Here];

    public void Dispose()
    {
        foreach (string name in (ReadOnlySpan<string>)[Here, There])
        {
            using var process = Process.Start(new ProcessStartInfo("ip", ["netns", "del", name]) { RedirectStandardError = true });
            process?.WaitForExit();
        }
    }
}
