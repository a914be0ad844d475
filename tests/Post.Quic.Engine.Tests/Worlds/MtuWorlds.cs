using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Worlds;

/// <summary>Paths whose largest datagram changes while they are used (RFC 8899).</summary>
[TestClass]
public sealed class MtuWorlds
{
    private const long Second = 1_000_000;

    /// <summary>The path shrinks in mid-transfer, again and again: what it still carries is found within a minute, under load and at rest.</summary>
    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_path_that_shrank_is_asked_again_within_a_minute(bool isBusy)
    {
        for (ulong seed = 1; seed <= 6; seed++)
        {
            using Pair pair = World.Connected(seed, World.Patient with { MaxMtu = seed % 2 == 0 ? 1452 : 65527 });
            pair.Server.Discard = true;
            var wide = new LinkConditions { Bandwidth = 100_000, QueueBytes = 30_000, Loss = seed % 3 == 0 ? 0.001 : 0, Mtu = 1500 };
            pair.Network.Conditions = wide;
            Send(pair, 5 * Second);
            Assert.IsGreaterThan(1440, Mtu(pair));
            for (int shrinking = 0; shrinking < 4; shrinking++)
            {
                int size = 1420 - (shrinking * 40) - (int)(seed % 30);
                pair.Network.Conditions = wide with { Mtu = size };
                Send(pair, 5 * Second);
                if (isBusy)
                {
                    Send(pair, 55 * Second);
                }
                else
                {
                    pair.RunFor(55 * Second);
                }

                Assert.IsInRange(size - 32, size, Mtu(pair), $"seed {seed}, shrinking {shrinking}");
            }
        }
    }

    private static int Mtu(Pair pair) => pair.Client.Core!.State.Paths.First.Network.Transmission.Mtu.Current;

    /// <summary>As much as fills the link for so long.</summary>
    private static void Send(Pair pair, long duration)
    {
        long end = pair.Now + duration;
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(true, out StreamState? stream));
        stream.WriteAll(new byte[60_000 * duration / Second]);
        stream.Finish();
        ulong id = stream.Id;
        pair.RunUntil(() => pair.Server.EndedStreams.Contains(id), 6 * duration, "upload");
        pair.RunFor(Math.Max(1, end - pair.Now));
    }
}
