using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Worlds;

/// <summary>Worlds in which the client does not stay where it is.</summary>
[TestClass]
public sealed class MovingWorlds
{
    private const long Second = 1_000_000;

    [TestMethod]
    public void Port_rebinding_every_second() => Rebind(newAddress: false);

    [TestMethod]
    public void Address_rebinding_every_second() => Rebind(newAddress: true);

    /// <summary>The client moves on in mid-transfer, and the interface that it left goes dead.</summary>
    [TestMethod]
    public void Migration_from_address_to_address() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        pair.Network.Conditions = new LinkConditions { Loss = 0.02, Reordering = 0.05, Bandwidth = 50_000 };
        byte[] data = pair.RandomBytes(100_000);
        ulong id = World.Begin(pair, data);
        NetworkAddress here = pair.Client.Address;
        int moves = 0;
        for (uint i = 0; i < 60 && !World.IsBack(pair, id); i++)
        {
            pair.RunFor(150_000 + (long)(seed % 17 * 20_000));
            NetworkAddress active = pair.Client.Core!.State.Paths.First.Network.Local;
            if (active == here)
            {
                _ = pair.Client.Core.TryMigrate(NetworkAddress.FromIPv4(0x0a010000 + i, 50_001), pair.Now);
            }
            else
            {
                pair.Network.DeadInterfaces.Add(here);
                here = active;
                moves++;
            }
        }

        World.Finish(pair, id, data, 60 * Second);
        Assert.IsGreaterThan(1, moves, "the client never moved");
        pair.RunFor(10 * Second);
        World.Exchange(pair, 1_000, 60 * Second);
        here = pair.Client.Core!.State.Paths.First.Network.Local;
        Assert.AreEqual(pair.Network.Translate(here), pair.Server.Core!.State.Paths.First.Network.Remote);
        World.End(pair);
    });

    /// <summary>Moves faster than the peer can follow, to peers that hold as few ids as allowed and to others, and back again.</summary>
    [TestMethod]
    public void Eight_moves_sixty_milliseconds_apart() => World.Run(seed =>
    {
        ConnectionSettings settings = World.Patient with { ActiveConnectionIdLimit = seed % 3 == 0 ? 2UL : 8 };
        using Pair pair = World.Connected(seed, settings);
        pair.Network.Conditions = new LinkConditions
        {
            Delay = 2_000 + (long)(seed % 5 * 12_000),
            Loss = seed % 4 * 0.02,
            Reordering = seed % 2 * 0.05,
            Bandwidth = 250_000,
        };
        byte[] data = pair.RandomBytes(150_000);
        ulong id = World.Begin(pair, data);
        int moves = 0;
        for (uint i = 0; i < 8; i++)
        {
            pair.RunFor(60_000);
            uint host = seed % 5 == 0 ? i % 2 : i;
            NetworkAddress to = NetworkAddress.FromIPv4(0x0a010000 + host, 50_001);
            moves += to != pair.Client.Core!.State.Paths.First.Network.Local && pair.Client.Core.TryMigrate(to, pair.Now) ? 1 : 0;
        }

        Assert.IsGreaterThan(0, moves);
        World.Finish(pair, id, data, 60 * Second);
        pair.RunFor(10 * Second);
        World.Exchange(pair, 1_000, 60 * Second);
        NetworkAddress here = pair.Client.Core!.State.Paths.First.Network.Local;
        Assert.AreEqual(pair.Network.Translate(here), pair.Server.Core!.State.Paths.First.Network.Remote);
        World.End(pair);
    });

    private static void Rebind(bool newAddress, [System.Runtime.CompilerServices.CallerMemberName] string test = "") => World.Run(
        seed =>
        {
            // A client that is only listening has to speak now and then, or nobody can learn where it is.
            using Pair pair = World.Connected(seed, World.Patient with { KeepAliveInterval = Second / 2 });
            pair.Network.Conditions = new LinkConditions { Loss = 0.01, Bandwidth = 50_000 };
            byte[] data = pair.RandomBytes(100_000);
            ulong id = World.Begin(pair, data);
            pair.RunFor((long)(seed % 100 * 10_000));
            for (uint i = 0; i < 120 && !World.IsBack(pair, id); i++)
            {
                pair.Network.Rebind(newAddress ? 0x0a000100u + i : null);
                pair.RunFor(Second);
            }

            World.Check(pair, id, data);
            Assert.IsLessThanOrEqualTo(Limits.MaxNetworks, pair.Server.Core!.GetPaths().Length);
            World.End(pair);
        },
        test);
}
