using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Connections;

[TestClass]
public sealed class KeyUpdateTests
{
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Either_side_changes_keys_and_data_goes_on(bool client)
    {
        using Pair pair = new Pair().Handshake();
        SimulatedSide side = client ? pair.Client : pair.Server;
        for (int i = 0; i < 3; i++)
        {
            Assert.IsTrue(side.Core!.TryUpdateKeys(pair.Now), $"update {i}");
            pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(20_000), 10_000_000);
            pair.Transfer(pair.Server, pair.Client, pair.RandomBytes(20_000), 10_000_000);
            pair.RunFor(1_000_000);
        }

        Assert.AreEqual(3UL, pair.Client.Core!.State.Keys.Application!.SendGeneration);
        Assert.AreEqual(3UL, pair.Server.Core!.State.Keys.Application!.SendGeneration);
    }

    [TestMethod]
    public void Both_sides_change_keys_at_once_under_loss()
    {
        foreach (ulong seed in Seeds.Of(20))
        {
            using Pair pair = new Pair(new PairOptions { Seed = seed }).Handshake();
            pair.Network.Conditions = new LinkConditions { Loss = 0.1, Reordering = 0.2 };
            for (int i = 0; i < 4; i++)
            {
                _ = pair.Client.Core!.TryUpdateKeys(pair.Now);
                _ = pair.Server.Core!.TryUpdateKeys(pair.Now);
                pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(30_000), 60_000_000);
                pair.Transfer(pair.Server, pair.Client, pair.RandomBytes(30_000), 60_000_000);
            }

            Assert.IsGreaterThan(0UL, pair.Client.Core!.State.Keys.Application!.SendGeneration);
        }
    }

    [TestMethod]
    public void Keys_change_by_themselves_after_so_many_packets()
    {
        using Pair pair = new Pair(new PairOptions
        {
            Client = ConnectionSettings.Default with { KeyUpdateInterval = 100 },
        }).Handshake();
        pair.Network.Conditions = new LinkConditions { Bandwidth = 500_000 };
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(2_000_000), 60_000_000);
        Assert.IsGreaterThan(3UL, pair.Client.Core!.State.Keys.Application!.SendGeneration);
    }
}
