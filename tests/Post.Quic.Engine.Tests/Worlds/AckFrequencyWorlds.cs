using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Worlds;

/// <summary>Worlds wide enough that a sender asks for fewer acknowledgements.</summary>
[TestClass]
public sealed class AckFrequencyWorlds
{
    private const long Second = 1_000_000;

    [TestMethod]
    public void Bulk_is_acknowledged_some_times_in_a_round_trip_and_comes_as_fast()
    {
        using var pair = World.Connected(1);
        pair.Server.Discard = true;
        pair.Network.Conditions = new LinkConditions { Delay = 20_000, Bandwidth = 12_500_000, QueueBytes = 500_000 };
        long start = pair.Now;
        pair.Transfer(pair.Client, pair.Server, new byte[20_000_000], 60 * Second);

        // 1.6 s is what the link takes; 1.9 s was measured with an ACK for every second packet.
        Assert.IsLessThan(2 * Second, pair.Now - start);
        long data = pair.Client.Core!.GetStatistics().PacketsSent;
        Assert.IsLessThan(data / 8, pair.Server.Core!.GetStatistics().PacketsSent);
    }

    /// <summary>Losses and reordering, single packets at the end, and moves to a path where all begins anew.</summary>
    [TestMethod]
    public void Fewer_acknowledgements_through_loss_and_moves() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        pair.Network.Conditions = new LinkConditions
        {
            Bandwidth = 10_000_000,
            Loss = seed % 4 / 1000.0,
            Reordering = seed % 3 / 1000.0,
            QueueBytes = 300_000,
        };
        World.Exchange(pair, 500_000, 60 * Second, meanwhile: () =>
        {
            pair.RunFor((long)(seed % 20 * 10_000));
            Assert.IsTrue(pair.Client.Core!.TryMigrate(NetworkAddress.FromIPv4(0x0a010001, 50_001), pair.Now));
        });
        World.Exchange(pair, 1, Second);
        World.End(pair);
    });
}
