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

    /// <summary>Milliseconds: a second is the promise, and a machine that is busy with other tests adds to it.</summary>
    private const double Promise = 1000;

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
        Assert.IsLessThan(away + Promise + Busy, longest);
    }
}
