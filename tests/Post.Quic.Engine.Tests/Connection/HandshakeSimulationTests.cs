using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Connections;

[TestClass]
public sealed class HandshakeSimulationTests
{
    [TestMethod]
    public void Handshake_is_confirmed_on_both_sides_within_two_round_trips()
    {
        using var pair = new Pair();
        long start = pair.Now;
        pair.Handshake();
        Assert.IsLessThanOrEqualTo(45_000, pair.Now - start);
    }

    [TestMethod]
    public void Bytes_arrive_intact_both_ways_after_the_handshake()
    {
        using Pair pair = new Pair().Handshake();
        pair.Server.Echo = true;
        byte[] data = pair.RandomBytes(100_000);
        ulong id = pair.Transfer(pair.Client, pair.Server, data, 10_000_000).Id;
        pair.RunUntil(() => pair.Client.EndedStreams.Contains(id), 10_000_000, "echo");
        CollectionAssert.AreEqual(data, pair.Client.Received(id));
    }
}
