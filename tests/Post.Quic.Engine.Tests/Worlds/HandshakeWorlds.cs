using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Tests.Tls;
using Post.Quic.Engine.Tls.Certificates;

namespace Post.Quic.Engine.Tests.Worlds;

/// <summary>Worlds in which already the handshake is hard, with TLS as it is.</summary>
[TestClass]
public sealed class HandshakeWorlds
{
    private const int Minute = 60_000_000;

    /// <summary>
    /// Half of all datagrams are lost or spoiled, and the probes come at doubling intervals: a few of the worlds end
    /// before a hello has got through. They end in time then, on both sides, for that reason.
    /// </summary>
    [TestMethod]
    public void Handshake_at_30_percent_loss_and_corruption()
    {
        int worlds = 0;
        int confirmed = 0;
        World.Run(seed =>
        {
            using Pair pair = Create(seed);
            pair.Network.Conditions = new LinkConditions
            {
                Loss = 0.3,
                Corruption = 0.3,
                Reordering = 0.2,
                Duplication = 0.1,
                Jitter = 5_000,
            };
            worlds++;
            pair.Connect().RunUntil(
                () => (pair.Client.IsConfirmed && pair.Server.IsConfirmed) || pair.Client.IsDrained, 11 * Minute, "handshake");
            if (pair.Client.IsDrained)
            {
                pair.RunUntil(() => pair.Server.Core is null || pair.Server.IsDrained, 11 * Minute, "end of the server");
                AssertTimedOut(pair.Client);
                AssertTimedOut(pair.Server);
                return;
            }

            confirmed++;
            World.Exchange(pair, 3_000, 10 * Minute);
            World.End(pair);
        });
        Assert.IsGreaterThanOrEqualTo(worlds * 9 / 10, confirmed);
    }

    /// <summary>
    /// All pairs of the first ten datagrams, whoever sent them, with each mixture of being dropped and doubled: 180 cases,
    /// which the seeds count off.
    /// </summary>
    [TestMethod]
    public void Every_pair_of_handshake_datagrams_dropped_or_doubled() => World.Run(seed =>
    {
        (int first, int second, DatagramFate one, DatagramFate other) = Victims((int)(seed % 180));
        using Pair pair = Create(seed, TestCertificates.Rsa, certificateOfClient: true);
        int count = 0;
        pair.Network.Fate = _ =>
        {
            int index = count++;
            return index == first ? one : index == second ? other : DatagramFate.Deliver;
        };
        pair.Handshake(Minute);
        World.Exchange(pair, 3_000, Minute);
        World.End(pair);
    });

    [TestMethod]
    public void Chain_of_nine_certificates_through_loss() => World.Run(seed =>
    {
        using Pair pair = Create(seed, TestCertificates.ChainOfNine);
        pair.Network.Conditions = new LinkConditions { Loss = 0.1, Reordering = 0.1, Duplication = 0.05 };
        pair.Handshake(5 * Minute);
        World.End(pair);
    });

    [TestMethod]
    public void Handshake_over_a_round_trip_of_750_ms() => World.Run(seed =>
    {
        using Pair pair = Create(seed);
        pair.Network.Conditions = new LinkConditions { Delay = 375_000, Jitter = 30_000, Loss = 0.05 };
        pair.Handshake(2 * Minute);
        World.Exchange(pair, 100_000, 2 * Minute);
        World.End(pair);
    });

    private static void AssertTimedOut(SimulatedSide side) => Assert.IsTrue(
        side.Core is null || side.Closed is { Source: CloseSource.IdleTimeout or CloseSource.HandshakeTimeout },
        $"{side.Name} ended with {side.Closed}");

    private static Pair Create(ulong seed, CertificateCredential? credential = null, bool certificateOfClient = false) =>
        new(new PairOptions
        {
            Seed = seed,
            Client = World.Patient,
            Server = World.Patient,
            ClientTls = TlsPair.ClientOptions(credential: certificateOfClient ? TestCertificates.Client : null),
            ServerTls = TlsPair.ServerOptions(
                credential, mode: certificateOfClient ? ClientCertificateMode.Required : ClientCertificateMode.None),
        });

    private static (int First, int Second, DatagramFate One, DatagramFate Other) Victims(int index)
    {
        (int mixture, int pair) = Math.DivRem(index, 45);
        int first = 0;
        while (pair >= 9 - first)
        {
            pair -= 9 - first;
            first++;
        }

        return (
            first,
            first + 1 + pair,
            (mixture & 1) == 0 ? DatagramFate.Drop : DatagramFate.Duplicate,
            (mixture & 2) == 0 ? DatagramFate.Drop : DatagramFate.Duplicate);
    }
}
