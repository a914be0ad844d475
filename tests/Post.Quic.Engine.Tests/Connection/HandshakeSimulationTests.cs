using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Tests.Tls;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Wire;

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
        Assert.AreEqual("post/1", pair.Client.Core!.ApplicationProtocol.ToString());
        Assert.AreEqual("post/1", pair.Server.Core!.ApplicationProtocol.ToString());
    }

    [TestMethod]
    public void Bytes_arrive_intact_both_ways_after_the_handshake()
    {
        using Pair pair = new Pair().Handshake();
        EchoWorks(pair, 100_000);
    }

    [TestMethod]
    [DataRow(0x1301)]
    [DataRow(0x1302)]
    [DataRow(0x1303)]
    public void Every_cipher_suite_carries_data(int suite)
    {
        using Pair pair = new Pair(new PairOptions
        {
            ClientTls = TlsPair.ClientOptions(suites: [(CipherSuite)suite]),
        }).Handshake();
        Assert.AreEqual((CipherSuite)suite, pair.Server.Core!.Tls.CipherSuite);
        EchoWorks(pair, 50_000);
    }

    [TestMethod]
    public void Handshake_with_HelloRetryRequest_is_confirmed()
    {
        using Pair pair = new Pair(new PairOptions
        {
            ClientTls = TlsPair.ClientOptions(groups: [NamedGroup.Secp256r1, NamedGroup.Secp384r1]),
            ServerTls = TlsPair.ServerOptions(groups: [NamedGroup.Secp384r1]),
        }).Handshake();
        Assert.AreEqual(NamedGroup.Secp384r1, pair.Client.Core!.Tls.Group);
        EchoWorks(pair, 10_000);
    }

    [TestMethod]
    [DataRow(NamedGroup.X25519MlKem768, false)]
    [DataRow(NamedGroup.Secp384r1MlKem1024, false)]
    [DataRow(NamedGroup.X25519MlKem768, true)]
    public void Hellos_that_span_several_packets_are_put_together(object group, bool retry)
    {
        HybridKeyExchangeTests.RequireMlKem();
        NamedGroup hybrid = (NamedGroup)group;
        var options = new PairOptions
        {
            ClientTls = TlsPair.ClientOptions(groups: retry ? [NamedGroup.X25519, hybrid] : [hybrid]),
            ServerTls = TlsPair.ServerOptions(TestCertificates.ChainOfNine, groups: [hybrid]),
        };
        using (Pair pair = new Pair(options).Handshake())
        {
            Assert.AreEqual(hybrid, pair.Client.Core!.Tls.Group);
            Assert.AreEqual(retry, pair.Client.Core.Tls.IsRetried);
            EchoWorks(pair, 20_000);
        }

        // Each datagram lost once, on either side: what is left of a hello waits for the rest.
        for (int lost = 0; lost < 12; lost++)
        {
            int number = 0;
            using var pair = new Pair(options);
            pair.Network.Fate = _ => number++ == lost ? DatagramFate.Drop : DatagramFate.Deliver;
            pair.Handshake();
            Assert.AreEqual(hybrid, pair.Server.Core!.Tls.Group);
            EchoWorks(pair, 2_000);
        }
    }

    [TestMethod]
    public void Handshake_with_a_client_certificate_shows_it_to_the_server()
    {
        using Pair pair = new Pair(new PairOptions
        {
            ClientTls = TlsPair.ClientOptions(credential: TestCertificates.Client),
            ServerTls = TlsPair.ServerOptions(mode: ClientCertificateMode.Required),
        }).Handshake();
        Assert.AreEqual("CN=client.test", pair.Server.Core!.Peer!.Certificate!.Subject);
    }

    [TestMethod]
    public void Chain_of_nine_certificates_passes_the_amplification_limit()
    {
        using var pair = new Pair(new PairOptions { ServerTls = TlsPair.ServerOptions(TestCertificates.ChainOfNine) });
        long up = 0;
        long down = 0;
        bool validated = false;
        pair.Network.Sniffer = datagram =>
        {
            if (datagram.FromClient)
            {
                up += datagram.Payload.Length;
                validated |= datagram.Index > 0 && (datagram.Payload[0] & 0xb0) == 0xa0;
            }
            else
            {
                down += datagram.Payload.Length;
                Assert.IsTrue(validated || down <= 3 * up, $"{down} bytes sent for {up} received");
            }
        };
        pair.Handshake();
    }

    [TestMethod]
    public void Retry_is_followed_once_and_its_token_comes_back_on_every_Initial()
    {
        using Pair pair = new Pair(new PairOptions { Retry = true }).Handshake();
        Assert.AreEqual(1, pair.RetriesSent);
        EchoWorks(pair, 10_000);
    }

    [TestMethod]
    public void Version_negotiation_leads_to_a_version_of_the_server()
    {
        using Pair pair = new Pair(new PairOptions
        {
            Client = ConnectionSettings.Default with
            {
                FirstVersion = QuicVersion.Version2,
                Versions = [QuicVersion.Version2, QuicVersion.Version1],
            },
            Server = ConnectionSettings.Default with { Versions = [QuicVersion.Version1] },
        }).Handshake();
        Assert.AreEqual(QuicVersion.Version1, pair.Client.Core!.Version);
        EchoWorks(pair, 10_000);
    }

    [TestMethod]
    public void No_common_version_ends_the_attempt()
    {
        using var pair = new Pair(new PairOptions
        {
            Client = ConnectionSettings.Default with { FirstVersion = QuicVersion.Version2, Versions = [QuicVersion.Version2] },
            Server = ConnectionSettings.Default with { Versions = [QuicVersion.Version1] },
        });
        pair.Connect().RunUntil(() => pair.Client.Closed is not null, 1_000_000, "refusal");
        Assert.AreEqual(CloseSource.VersionNegotiation, pair.Client.Closed!.Value.Source);
        Assert.IsTrue(pair.Client.IsDrained);
    }

    [TestMethod]
    public void Compatible_negotiation_moves_to_the_version_the_server_likes_best()
    {
        using Pair pair = new Pair(new PairOptions
        {
            Server = ConnectionSettings.Default with { Versions = [QuicVersion.Version2, QuicVersion.Version1] },
        }).Handshake();
        Assert.AreEqual(QuicVersion.Version2, pair.Client.Core!.Version);
        Assert.AreEqual(QuicVersion.Version2, pair.Server.Core!.Version);
        EchoWorks(pair, 10_000);
    }

    [TestMethod]
    public void Version_2_works_from_the_first_packet()
    {
        using Pair pair = new Pair(new PairOptions
        {
            Client = ConnectionSettings.Default with { FirstVersion = QuicVersion.Version2, Versions = [QuicVersion.Version2] },
        }).Handshake();
        Assert.AreEqual(QuicVersion.Version2, pair.Server.Core!.Version);
        EchoWorks(pair, 10_000);
    }

    [TestMethod]
    public void Refused_certificate_closes_both_sides_with_its_alert()
    {
        using var pair = new Pair(new PairOptions { ServerTls = TlsPair.ServerOptions(TestCertificates.WrongName) });
        pair.Connect().RunUntil(() => pair.Server.Closed is not null && pair.Client.Closed is not null, 5_000_000, "refusal");
        Assert.AreEqual(0x100UL, pair.Client.Closed!.Value.ErrorCode & ~0xffUL);
        Assert.AreEqual(CloseSource.Peer, pair.Server.Closed!.Value.Source);
        Assert.AreEqual(pair.Client.Closed.Value.ErrorCode, pair.Server.Closed.Value.ErrorCode);
    }

    [TestMethod]
    public void Connection_ids_of_zero_length_work_on_the_client()
    {
        using Pair pair = new Pair(new PairOptions { ClientIdLength = 0 }).Handshake();
        EchoWorks(pair, 50_000);
        Assert.AreEqual(0, pair.Client.IssuedIds);
    }

    [TestMethod]
    [DataRow(DatagramFate.Drop)]
    [DataRow(DatagramFate.Duplicate)]
    [DataRow(DatagramFate.Truncate)]
    [DataRow(DatagramFate.Corrupt)]
    [DataRow(DatagramFate.Replay)]
    public void Each_single_datagram_of_the_handshake_may_suffer(DatagramFate fate)
    {
        foreach (bool ofClient in new[] { true, false })
        {
            for (int index = 0; index < 6; index++)
            {
                using var pair = new Pair(new PairOptions
                {
                    ServerTls = TlsPair.ServerOptions(TestCertificates.Rsa),
                    Seed = (ulong)index + 1,
                });
                int victim = index;
                pair.Network.Fate = datagram =>
                    datagram.FromClient == ofClient && datagram.Index == victim ? fate : DatagramFate.Deliver;
                pair.Handshake();
                EchoWorks(pair, 5_000);
            }
        }
    }

    [TestMethod]
    [DataRow(DatagramFate.Drop)]
    [DataRow(DatagramFate.Duplicate)]
    public void Each_pair_of_datagrams_of_the_handshake_may_suffer(DatagramFate fate)
    {
        for (int first = 0; first < 5; first++)
        {
            for (int second = 0; second < 5; second++)
            {
                using var pair = new Pair();
                int up = first;
                int down = second;
                pair.Network.Fate = datagram =>
                    datagram.Index == (datagram.FromClient ? up : down) ? fate : DatagramFate.Deliver;
                pair.Handshake();
            }
        }
    }

    [TestMethod]
    public void Handshake_survives_heavy_loss_and_corruption()
    {
        foreach (ulong seed in Seeds.Of(40))
        {
            using var pair = new Pair(new PairOptions
            {
                Seed = seed,
                Client = ConnectionSettings.Default with { HandshakeTimeout = 120_000_000, MaxIdleTimeout = 120_000_000 },
                Server = ConnectionSettings.Default with { HandshakeTimeout = 120_000_000, MaxIdleTimeout = 120_000_000 },
            });
            pair.Network.Conditions = new LinkConditions { Loss = 0.3, Corruption = 0.1, Reordering = 0.2, Duplication = 0.1 };
            pair.Handshake(timeout: 120_000_000);
        }
    }

    [TestMethod]
    public void Resumption_skips_the_certificate_and_early_data_arrives_with_the_first_flight()
    {
        (PairOptions options, ConnectionSettings _) = Resumable(out TlsSessionTicket ticket);
        using var pair = new Pair(options with
        {
            Start = 2_000_000_000,
            ClientTls = TlsPair.ClientOptions(ticket, earlyData: true),
            RememberedParameters = ticket.TransportParameters,
        });
        pair.Connect();
        Assert.IsTrue(ticket.AllowsEarlyData);
        Assert.IsTrue(pair.Client.Core!.CanSendEarlyData, "no early data possible");
        Assert.IsTrue(pair.Client.Core.Streams.TryOpen(true, out StreamState? stream));
        byte[] data = pair.RandomBytes(3000);
        stream.WriteAll(data);
        stream.Finish();
        long start = pair.Now;
        pair.RunUntil(() => pair.Server.EndedStreams.Contains(stream.Id), 1_000_000, "early data");
        Assert.IsLessThanOrEqualTo(12_000, pair.Now - start);
        Assert.IsFalse(pair.Server.IsComplete, "the data was to come before the handshake's end");
        pair.RunUntil(() => pair.Client.IsConfirmed, 1_000_000, "handshake");
        Assert.IsTrue(pair.Client.Core.Tls.IsResumed);
        Assert.AreEqual(true, pair.Client.EarlyData);
        CollectionAssert.AreEqual(data, pair.Server.Received(stream.Id));
    }

    [TestMethod]
    public void Rejected_early_data_is_undone_and_can_be_sent_again()
    {
        (PairOptions options, ConnectionSettings settings) = Resumable(out TlsSessionTicket ticket);
        using var pair = new Pair(options with
        {
            Start = 2_000_000_000,
            ClientTls = TlsPair.ClientOptions(ticket, earlyData: true),
            RememberedParameters = ticket.TransportParameters,
            ServerTls = TlsPair.ServerOptions(
                keys: TlsPair.Keys(), earlyData: false, earlyDataContext: ParameterFactory.EarlyDataContext(settings)),
        });
        pair.Connect();
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(true, out StreamState? stream));
        stream.WriteAll(pair.RandomBytes(3000));
        stream.Finish();
        pair.RunUntil(() => pair.Client.IsConfirmed, 1_000_000, "handshake");
        Assert.AreEqual(false, pair.Client.EarlyData);
        Assert.IsEmpty(pair.Server.EndedStreams);
        EchoWorks(pair, 3000);
    }

    [TestMethod]
    public void Version_negotiation_undoes_early_data_and_says_so_once()
    {
        (PairOptions options, ConnectionSettings settings) = Resumable(out TlsSessionTicket ticket);
        using var pair = new Pair(options with
        {
            Start = 2_000_000_000,
            Client = settings with { FirstVersion = QuicVersion.Version2, Versions = [QuicVersion.Version2, QuicVersion.Version1] },
            Server = settings with { Versions = [QuicVersion.Version1] },
            ClientTls = TlsPair.ClientOptions(ticket, earlyData: true),
            RememberedParameters = ticket.TransportParameters,
        });
        pair.Connect();
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(true, out StreamState? stream));
        stream.WriteAll(pair.RandomBytes(3000));
        stream.Finish();
        pair.RunUntil(() => pair.Client.IsConfirmed, 1_000_000, "handshake");
        Assert.AreEqual(QuicVersion.Version1, pair.Client.Core!.Version);
        Assert.AreEqual(false, pair.Client.EarlyData);
        Assert.AreEqual(1, pair.Client.EarlyDataDecisions);
        Assert.IsEmpty(pair.Server.EndedStreams);
        EchoWorks(pair, 3000);
    }

    private static (PairOptions Options, ConnectionSettings Settings) Resumable(out TlsSessionTicket ticket)
    {
        ConnectionSettings settings = ConnectionSettings.Default;
        var options = new PairOptions
        {
            ServerTls = TlsPair.ServerOptions(
                keys: TlsPair.Keys(),
                earlyData: true,
                antiReplay: new AcceptAll(),
                earlyDataContext: ParameterFactory.EarlyDataContext(settings)),
        };
        using Pair first = new Pair(options).Handshake();
        first.RunUntil(() => first.Client.Tickets.Count > 0, 1_000_000, "ticket");
        ticket = first.Client.Tickets[0];
        return (options, settings);
    }

    private static void EchoWorks(Pair pair, int size)
    {
        pair.Server.Echo = true;
        byte[] data = pair.RandomBytes(size);
        ulong id = pair.Transfer(pair.Client, pair.Server, data, 60_000_000).Id;
        pair.RunUntil(() => pair.Client.EndedStreams.Contains(id), 60_000_000, "echo");
        CollectionAssert.AreEqual(data, pair.Client.Received(id), pair.Repeat);
    }
}
