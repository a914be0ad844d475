using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Worlds;

/// <summary>What arrives in time where single packets are lost at random. Means of many worlds.</summary>
[TestClass]
public sealed class LossyWorlds
{
    private const int Worlds = 20;

    /// <summary>
    /// 1 KiB each 10 ms, 150 ms to live, 50 ms there and back: what has a deadline is sent under BBR, and its last repetition twice. That costs
    /// a tenth of a packet for each message at 5% loss, and a fifth at 10%.
    /// </summary>
    [TestMethod]
    [DataRow(0.01, 0.999, 1.04)]
    [DataRow(0.05, 0.999, 1.13)]
    [DataRow(0.10, 0.998, 1.25)]
    public void Perishable_messages(double loss, double least, double packets)
    {
        double perMessage = 0;
        AssertInTime(least, loss, interval: 10_000, count: 2_000, worlds: 5, done: traffic => perMessage += traffic.PacketsPerMessage / 5);
        Assert.IsLessThan(packets, perMessage);
    }

    /// <summary>
    /// 1 KiB each 10 ms over 50 ms needs nearly all of what CUBIC concedes at 5% loss (RFC 9438 section 4.3: as much as Reno, some five
    /// and a half packets a round trip), so that each part of the window that stands still costs messages.
    /// </summary>
    [TestMethod]
    public void Perishable_messages_at_the_limit_of_what_congestion_control_concedes() =>
        AssertInTime(0.93, loss: 0.05, interval: 10_000, count: 1_000, CongestionAlgorithm.Cubic);

    /// <summary>
    /// Nothing that follows proves the loss of a message that stands alone: the probe timeout has to tell, since another round trip for the
    /// answer to a probe would be too long.
    /// </summary>
    [TestMethod]
    public void Perishable_messages_that_stand_alone() => AssertInTime(0.99, loss: 0.05, interval: 100_000, count: 500, CongestionAlgorithm.Cubic);

    private static void AssertInTime(
        double least,
        double loss,
        long interval,
        int count,
        CongestionAlgorithm congestion = CongestionAlgorithm.Auto,
        int worlds = Worlds,
        Action<PerishableTraffic>? done = null)
    {
        double sum = 0;
        foreach (ulong seed in Seeds.Of(worlds))
        {
            using Pair pair = Lossy(seed, loss, congestion);
            var traffic = new PerishableTraffic(pair, count) { Interval = interval };
            traffic.Run();
            sum += traffic.InTime;
            done?.Invoke(traffic);
        }

        Assert.IsGreaterThan(least, sum / Seeds.Of(worlds).Count());
    }

    private static Pair Lossy(ulong seed, double loss, CongestionAlgorithm congestion)
    {
        ConnectionSettings both = World.Patient with { Congestion = congestion };
        var pair = new Pair(new PairOptions { Seed = seed, Client = both, Server = both, StandInTls = true });
        pair.Network.Conditions = new LinkConditions { Delay = 25_000, Jitter = 500, Loss = loss, Mtu = 1472, BleachEcn = true };
        return pair.Handshake();
    }
}
