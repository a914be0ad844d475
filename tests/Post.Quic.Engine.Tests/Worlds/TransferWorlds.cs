using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Testing.Mutations;

namespace Post.Quic.Engine.Tests.Worlds;

/// <summary>Worlds that lose, delay, darken or garble what is sent.</summary>
[TestClass]
public sealed class TransferWorlds
{
    private const long Second = 1_000_000;

    [TestMethod]
    [DataRow(0.02)]
    [DataRow(0.10)]
    public void Transfer_through_loss_reordering_and_duplication(double loss) => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        pair.Network.Conditions = new LinkConditions
        {
            Loss = loss,
            Reordering = 0.05,
            Duplication = 0.05,
            Corruption = 0.01,
            Jitter = 3_000,
        };
        World.Exchange(pair, 60_000, 200 * Second);
        World.End(pair);
    });

    [TestMethod]
    public void Round_trip_of_750_ms() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        pair.Network.Conditions = new LinkConditions
        {
            Delay = 375_000,
            Jitter = 20_000,
            Loss = 0.005,
            Bandwidth = 500_000,
        };
        World.Exchange(pair, 150_000, 60 * Second);
        World.End(pair);
    });

    /// <summary>After MTU discovery the path shrinks, in mid-transfer, in one direction or in both.</summary>
    [TestMethod]
    public void Mtu_black_hole_in_mid_transfer() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        World.Exchange(pair, 30_000, 20 * Second);
        var open = new LinkConditions { Bandwidth = 250_000, Loss = 0.005 };
        LinkConditions narrow = open with { Mtu = 1200 + (int)(seed % 250) };
        pair.Network.Conditions = open;
        World.Exchange(pair, 60_000, 60 * Second, meanwhile: () =>
        {
            pair.RunFor((long)(20_000 + (seed % 20 * 10_000)));
            pair.Network.FromClient = seed % 3 != 0 ? narrow : open;
            pair.Network.FromServer = seed % 3 != 1 ? narrow : open;
        });
        World.End(pair);
    });

    /// <summary>A router begins to clear the ECN field, after marks were heard or before.</summary>
    [TestMethod]
    public void Ecn_bleaching() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        LinkConditions marking = new() { Bandwidth = 500_000, MarkAbove = 10_000, Loss = 0.005 };
        LinkConditions bleaching = marking with { BleachEcn = true };
        pair.Network.Conditions = marking;
        World.Exchange(pair, 60_000, 60 * Second, meanwhile: () =>
        {
            pair.RunFor((long)(seed % 10 * 20_000));
            pair.Network.FromClient = seed % 3 != 0 ? bleaching : marking;
            pair.Network.FromServer = seed % 3 != 1 ? bleaching : marking;
        });
        World.Exchange(pair, 30_000, 60 * Second);
        World.End(pair);
    });

    [TestMethod]
    public void Simultaneous_key_updates() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        pair.Network.Conditions = new LinkConditions { Loss = 0.05, Reordering = 0.2, Duplication = 0.05, Jitter = 2_000 };
        for (int i = 0; i < 4; i++)
        {
            World.Exchange(pair, 8_000, 60 * Second, meanwhile: () =>
            {
                _ = pair.Client.Core!.TryUpdateKeys(pair.Now);
                pair.RunFor((long)(seed % 4 * 5_000));
                _ = pair.Server.Core!.TryUpdateKeys(pair.Now);
            });
        }

        // The last update may not have reached the other side yet.
        pair.Network.Conditions = new LinkConditions();
        World.Exchange(pair, 1_000, 60 * Second);
        Assert.IsGreaterThan(0UL, pair.Client.Core!.State.Keys.Application!.SendGeneration);
        Assert.AreEqual(
            pair.Client.Core.State.Keys.Application!.SendGeneration, pair.Server.Core!.State.Keys.Application!.SendGeneration);
        World.End(pair);
    });

    /// <summary>The seed draws everything, for each direction and for each part of the transfer.</summary>
    [TestMethod]
    public void Network_of_all_troubles_at_once() => World.Run(seed =>
    {
        // Without a sign of life from a client that its NAT has moved, nobody could know where it is.
        using Pair pair = World.Connected(seed, World.Patient with { KeepAliveInterval = Second });
        var random = new FuzzRandom(seed);
        for (int i = 0; i < 3; i++)
        {
            pair.Network.FromClient = Draw(ref random);
            pair.Network.FromServer = Draw(ref random);
            if (random.Coin())
            {
                pair.Network.Rebind(random.Coin() ? 0x0a000100u + (uint)random.Below(200) : null);
            }

            World.Exchange(pair, random.Below(40_000), 600 * Second);
        }

        World.End(pair);
    });

    private static LinkConditions Draw(ref FuzzRandom random) => new()
    {
        Delay = 100 + random.Below(300_000),
        Jitter = random.Coin() ? 0 : random.Below(50_000),
        Loss = random.Below(15) / 100.0,
        Duplication = random.Below(10) / 100.0,
        Corruption = random.Below(10) / 100.0,
        Reordering = random.Below(20) / 100.0,
        Bandwidth = random.Coin() ? 0 : 20_000 + random.Below(1_000_000),
        QueueBytes = 5_000 + random.Below(200_000),
        MarkAbove = random.Coin() ? 0 : random.Below(20_000),
        Mtu = random.Coin() ? 1200 + random.Below(400) : 65527,
        BleachEcn = random.Coin(),
    };
}
