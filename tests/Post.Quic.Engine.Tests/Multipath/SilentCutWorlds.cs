using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>
/// One of two links is cut without a word, while the server has measured little more than a slow handshake and the client needs its leave
/// for every few streams: what either of them knows of the paths may be stale, and what is lost may be what the other waits for.
/// </summary>
[TestClass]
public sealed class SilentCutWorlds
{
    private const long Second = 1_000_000;
    private const long Millisecond = 1_000;

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void No_object_is_later_than_a_second_whatever_was_measured_before()
    {
        long worst = 0;
        var failed = new List<string>();
        foreach (ulong seed in Seeds.Of(200))
        {
            long slowest = SlowestObject(seed);
            worst = Math.Max(worst, slowest);
            if (slowest >= Second)
            {
                failed.Add($"{slowest / 1000} ms with seed {seed}");
            }
        }

        TestContext.WriteLine($"at most {worst / 1000} ms");
        Assert.IsEmpty(failed, string.Join(", ", failed));
    }

    private static long SlowestObject(ulong seed)
    {
        var chance = new Random((int)seed);
        ConnectionSettings settings = ConnectionSettings.Default with { MaxPaths = 4, MaxUnidirectionalStreams = (ulong)chance.Next(2, 6) };
        using var pair = new Pair(new PairOptions { Seed = seed, Client = settings, Server = settings, StandInTls = true });
        LinkConditions first = TwoLinks.Link(20, chance.Next(5, 60));
        LinkConditions second = TwoLinks.Link(20, chance.Next(5, 60));

        // A machine with much to do while it shakes hands, or a link that wakes up.
        SimulatedLink one = pair.Network.AddLink(pair.Client.Address, first with { Delay = chance.Next(50, 700) * Millisecond });
        SimulatedLink two = pair.Network.AddLink(TwoLinks.SecondAddress, second);
        _ = pair.Handshake();
        one.Conditions = first;
        pair.RunFor(2 * Second);
        Assert.AreEqual(PathOpening.Begun, pair.Client.Core!.TryOpenPath(TwoLinks.SecondAddress, default, pair.Now, out _));
        pair.RunUntil(() => pair.Server.Core!.State.Paths.Find(1) is { IsUsable: true }, 5 * Second, "a path");
        bool cutsFirst = chance.Next(2) == 0;
        SimulatedLink cutLink = cutsFirst ? one : two;
        if (chance.Next(3) != 0)
        {
            // All goes by the link that is cut, as it does where one of two is kept ready.
            Assert.IsTrue(pair.Client.Core.TrySetBackup(cutsFirst ? 1u : 0, isBackup: true));
        }

        pair.RunFor(chance.Next(0, 200) * Millisecond);
        long cut = pair.Now + (chance.Next(0, 400) * Millisecond);
        long slowest = 0;
        for (int i = 0; i < 60; i++)
        {
            cutLink.IsDead |= pair.Now >= cut;
            long begin = pair.Now;
            StreamState? stream;
            while (!pair.Client.Core.Streams.TryOpen(false, out stream))
            {
                pair.RunFor(Millisecond);
                cutLink.IsDead |= pair.Now >= cut;
            }

            stream.WriteAll(pair.RandomBytes(2_000));
            stream.Finish();
            ulong id = stream!.Id;
            while (!pair.Server.EndedStreams.Contains(id))
            {
                pair.RunFor(Millisecond);
                cutLink.IsDead |= pair.Now >= cut;
            }

            slowest = Math.Max(slowest, pair.Now - begin);
            pair.RunFor(Math.Max(0, (10 * Millisecond) - (pair.Now - begin)));
        }

        Assert.IsTrue(cutLink.IsDead, pair.Repeat);
        Assert.IsNull(pair.Client.Closed, pair.Repeat);
        return slowest;
    }
}
