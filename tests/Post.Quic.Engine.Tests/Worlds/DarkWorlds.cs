using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Worlds;

/// <summary>
/// Worlds whose link is a black hole for seconds. The probe timeout doubles (RFC 9002 section 6.2.1) and has no bound of its
/// own: a short darkness is bridged by it, a long one is ended by the idle timeout.
/// </summary>
[TestClass]
public sealed class DarkWorlds
{
    private const long Second = 1_000_000;
    private const long Period = 7 * Second;

    /// <summary>The interop runner's world, with a tenth of its bandwidth.</summary>
    [TestMethod]
    public void Blackhole_of_2_s_after_each_5_s_of_light() => World.Run(seed =>
    {
        using Pair pair = Connected(seed, World.Patient);
        pair.Network.Conditions = new LinkConditions
        {
            Delay = 15_000,
            Bandwidth = 125_000,
            QueueBytes = 25 * 1452,
            Light = 5 * Second,
            Dark = 2 * Second,
        };
        World.Exchange(pair, 1_000_000, 60 * Second);
        World.End(pair);
    });

    /// <summary>
    /// The reverse. Whether a probe meets the light is luck, which doubling intervals ask for less and less often: what the
    /// idle timeout ends, ends on both sides, and the rest arrives intact.
    /// </summary>
    [TestMethod]
    public void Darkness_of_5_s_between_2_s_of_light_ends_in_arrival_or_by_the_idle_timeout()
    {
        int worlds = 0;
        int arrived = 0;
        World.Run(seed =>
        {
            worlds++;
            using Pair pair = Connected(seed, World.Patient with { MaxIdleTimeout = 30 * Second });
            arrived += EndsInArrival(pair, 200 * Second) ? 1 : 0;
        });
        Assert.IsGreaterThanOrEqualTo(worlds / 2, arrived);
    }

    /// <summary>
    /// Keep-alives meet each light, and what they and their answers acknowledge sets things going again: no side lives on
    /// by them while the other waits for a probe of hours.
    /// </summary>
    [TestMethod]
    public void Darkness_of_5_s_between_2_s_of_light_with_keep_alives()
    {
        int worlds = 0;
        int arrived = 0;
        World.Run(seed =>
        {
            worlds++;
            using Pair pair = Connected(seed, World.Patient with { KeepAliveInterval = 5 * Second });
            arrived += EndsInArrival(pair, 2_000 * Second) ? 1 : 0;
        });
        Assert.IsGreaterThanOrEqualTo(worlds * 9 / 10, arrived);
    }

    /// <summary>
    /// All that fills the window is lost, and the probe timeout is far away. Two signs of life of the peer suffice: the second
    /// acknowledges what acknowledged the first.
    /// </summary>
    [TestMethod]
    public void Sender_learns_from_the_acknowledgement_of_its_acknowledgements_that_it_is_light_again() => World.Run(seed =>
    {
        using Pair pair = World.Connected(seed);
        byte[] data = pair.RandomBytes(100_000);
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        ulong id = World.Begin(pair, data);
        pair.RunFor(20 * Second);
        Assert.IsGreaterThan(4, pair.Client.Core!.State.Paths.First.Recovery.ProbeTimeoutCount);
        pair.Network.Conditions = new LinkConditions();
        long probe = pair.Client.Core.State.Paths.First.Recovery.NextTimeout;
        if (probe - pair.Now < Second)
        {
            return;
        }

        pair.Server.Core!.Ping();
        pair.RunFor(Second / 4);
        pair.Server.Core.Ping();
        pair.RunFor(Second / 2);
        Assert.IsLessThan(probe, pair.Now);
        World.Check(pair, id, data);
    });

    private static bool EndsInArrival(Pair pair, long timeout)
    {
        pair.Network.Conditions = new LinkConditions { Bandwidth = 50_000, Light = 2 * Second, Dark = 5 * Second };
        byte[] data = pair.RandomBytes(100_000);
        ulong id = World.Begin(pair, data);
        pair.RunUntil(() => World.IsBack(pair, id), timeout, "arrival, or the idle timeout");
        if (pair.Client.EndedStreams.Contains(id))
        {
            World.Check(pair, id, data);
            World.End(pair);
            return true;
        }

        pair.RunUntil(() => pair.Client.IsDrained && pair.Server.IsDrained, 1_300 * Second, "the end of the other side");
        foreach (SimulatedSide side in new[] { pair.Client, pair.Server })
        {
            Assert.AreEqual(CloseSource.IdleTimeout, side.Closed!.Value.Source, side.Name);
            World.CheckEnded(side);
        }

        return false;
    }

    private static Pair Connected(ulong seed, ConnectionSettings settings) =>
        World.Connected(seed, settings, start: 1_000_000_000 + ((long)(seed % 200) * Period / 200));
}
