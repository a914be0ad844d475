using System.Globalization;
using Post.Sockets;

namespace Post.Quic.Tests.Roaming;

/// <summary>
/// What a laptop meets, with the managed engine in network namespaces: the association goes on within a second, no object is lost or
/// delivered twice, its connection included, and the application does nothing for it.
/// </summary>
[TestClass]
[DoNotParallelize]
public sealed class RoamingTests
{
    private const int Hang = 40_000;

    /// <summary>Milliseconds.</summary>
    private const double Promise = 1000;

    /// <summary>Milliseconds that threads may wait for their turn, besides what the two processes find out themselves that they were kept from running.</summary>
    private const double Busy = 250;

    public required TestContext TestContext { get; init; }

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(MultipathPolicy.None)]
    [DataRow(MultipathPolicy.Handover)]
    [DataRow(MultipathPolicy.Aggregate)]
    public Task An_address_is_removed(MultipathPolicy policy) =>
        Roam(policy, links: 2, network => network.OnClient("ip addr del 10.78.1.2/24 dev c1"));

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(MultipathPolicy.None)]
    [DataRow(MultipathPolicy.Handover)]
    public Task An_interface_is_switched_off(MultipathPolicy policy) =>
        Roam(policy, links: 2, network => network.OnClient("ip link set c1 down"));

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(MultipathPolicy.None)]
    [DataRow(MultipathPolicy.Handover)]
    public Task A_cable_is_pulled(MultipathPolicy policy) =>
        Roam(policy, links: 2, network => network.OnServer("ip link set s1 down"));

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public Task A_link_dies_without_a_word() =>
        Roam(MultipathPolicy.Handover, links: 2, network => network.Silence(1));

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(MultipathPolicy.None)]
    [DataRow(MultipathPolicy.Handover)]
    public Task An_address_is_renewed(MultipathPolicy policy) => Roam(policy, links: 1, network =>
    {
        network.OnClient("ip addr del 10.78.1.2/24 dev c1");
        network.Address(1, 77);
    });

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(MultipathPolicy.None)]
    [DataRow(MultipathPolicy.Handover)]
    public Task The_default_route_changes(MultipathPolicy policy) => Roam(policy, links: 2, network =>
    {
        network.OnClient("ip route del default via 10.78.1.1 dev c1");
        network.OnClient("ip route replace default via 10.78.1.1 dev c1 metric 300");
    });

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(MultipathPolicy.None)]
    [DataRow(MultipathPolicy.Handover)]
    public Task A_tunnel_comes_up_and_goes(MultipathPolicy policy) => Roam(policy, links: 1, network =>
    {
        network.AddLink(2);
        network.OnClient("ip route replace default via 10.78.2.1 dev c2 metric 10");
        Thread.Sleep(1500);
        network.OnClient("ip link del c2");
    });

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    [DataRow(MultipathPolicy.None)]
    [DataRow(MultipathPolicy.Handover)]
    public async Task There_is_no_way_at_all_for_a_while(MultipathPolicy policy)
    {
        const int Away = 3000;
        await Roam(
            policy,
            links: 1,
            network =>
            {
                network.OnClient("ip link set c1 down");
                Thread.Sleep(Away);
                network.AddLink(2);
            },
            Away);
    }

    [TestMethod]
    [Timeout(Hang, CooperativeCancellation = true)]
    public async Task Large_objects_over_two_shaped_links_arrive_whole_though_one_is_cut_on_the_way()
    {
        const double Megabits = RoamingProcess.LargeObjects * RoamingProcess.LargeSize * 8 / 1e6;
        using var network = RoamingNetwork.Create(links: 2, "tbf rate 20mbit burst 4kb latency 50ms");
        using RoamingProcess server = await RoamingProcess.StartAsync(network.At(server: true), $"server {MultipathPolicy.Aggregate}", Cancel);
        using RoamingProcess client = await RoamingProcess.StartAsync(
            network.At(server: false), $"client {MultipathPolicy.Aggregate} {server.Said}", Cancel);
        await Task.Delay(1000, Cancel);
        Task<string> sending = client.AskAsync("large", Cancel);
        await Task.Delay(1500, Cancel);
        await Task.Run(() => network.Silence(2), Cancel);
        string[] said = (await sending).Split(' ');
        string report = await server.AskAsync("report", Cancel);
        TestContext.WriteLine($"{Megabits} Mbit, acknowledged and seconds {string.Join(' ', said)}; taken, distinct, longest silence, whole {report}");
        Assert.AreEqual(RoamingProcess.LargeObjects.ToString(CultureInfo.InvariantCulture), said[0]);
        Assert.AreEqual(said[0], report.Split(' ')[3], "each with the hash that it was sent with, and once");
    }

    private async Task Roam(MultipathPolicy policy, int links, Action<RoamingNetwork> happens, double away = 0)
    {
        using var network = RoamingNetwork.Create(links);
        using RoamingProcess server = await RoamingProcess.StartAsync(network.At(server: true), $"server {policy}", Cancel);
        using RoamingProcess client = await RoamingProcess.StartAsync(network.At(server: false), $"client {policy} {server.Said}", Cancel);
        await Task.Delay(1000, Cancel);
        TestContext.WriteLine($"before: {await client.AskAsync("paths", Cancel)}");
        await server.AskAsync("mark", Cancel);
        await Task.Run(() => happens(network), Cancel);
        await Task.Delay(2000, Cancel);
        TestContext.WriteLine($"after: {await client.AskAsync("paths", Cancel)}");
        string[] counted = (await client.AskAsync("stop", Cancel)).Split(' ');
        string[] report = (await server.AskAsync("report", Cancel)).Split(' ');
        double longest = double.Parse(report[2], CultureInfo.InvariantCulture);
        TestContext.WriteLine($"sent and acknowledged {string.Join(' ', counted)}; taken, distinct, longest silence {string.Join(' ', report)}");
        Assert.AreEqual(counted[0], counted[1], "every object is acknowledged");
        Assert.AreEqual(counted[0], report[0], "every object is delivered once");
        Assert.AreEqual(counted[0], report[1]);
        Assert.AreEqual("0", await client.AskAsync("interruptions", Cancel), "the connection itself goes on");
        double stalled = double.Parse(counted[2], CultureInfo.InvariantCulture) + double.Parse(report[4], CultureInfo.InvariantCulture);
        Assert.IsLessThan(away + Promise + Busy + stalled, longest);
    }
}
