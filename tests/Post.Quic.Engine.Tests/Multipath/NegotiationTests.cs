using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Tests.Tls;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>Several paths together with all else that a handshake may bring (draft-ietf-quic-multipath-21 section 2).</summary>
[TestClass]
public sealed class NegotiationTests
{
    private static readonly ConnectionSettings Several = new() { MaxPaths = 4 };
    private static readonly NetworkAddress Second = NetworkAddress.FromIPv4(0x0a000102, 50001);

    [TestMethod]
    public void After_a_Retry()
    {
        using Pair pair = new Pair(new PairOptions { Retry = true, Client = Several, Server = Several }).Handshake();
        UseSecond(pair);
    }

    [TestMethod]
    public void In_version_2()
    {
        ConnectionSettings settings = Several with { Versions = [QuicVersion.Version2, QuicVersion.Version1] };
        using Pair pair = new Pair(new PairOptions { Client = settings, Server = settings }).Handshake();
        Assert.AreEqual(QuicVersion.Version2, pair.Client.Core!.Version);
        UseSecond(pair);
    }

    [TestMethod]
    public void With_early_data_whose_session_knew_of_several_paths()
    {
        // Section 2.1: the parameter is not remembered.
        var options = new PairOptions
        {
            Client = Several,
            Server = Several,
            ServerTls = TlsPair.ServerOptions(
                keys: TlsPair.Keys(),
                earlyData: true,
                antiReplay: new AcceptAll(),
                earlyDataContext: ParameterFactory.EarlyDataContext(Several)),
        };
        TlsSessionTicket ticket;
        using (Pair first = new Pair(options).Handshake())
        {
            first.RunFor(500_000);
            ticket = first.Client.Tickets[^1];
        }

        using var pair = new Pair(options with
        {
            Start = 2_000_000_000,
            ClientTls = TlsPair.ClientOptions(ticket, earlyData: true),
            RememberedParameters = ticket.TransportParameters,
        });
        pair.Connect();
        Assert.IsTrue(pair.Client.Core!.CanSendEarlyData);
        Assert.IsNull(pair.Client.Core.PeerParameters.InitialMaxPathId);
        Assert.IsFalse(pair.Client.Core.IsMultipath);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(3000), 2_000_000);
        pair.RunUntil(() => pair.Client.IsConfirmed, 1_000_000, "handshake");
        Assert.AreEqual(true, pair.Client.EarlyData);
        UseSecond(pair);
    }

    [TestMethod]
    public void With_a_preferred_address_the_first_path_moves_and_keeps_its_id()
    {
        NetworkAddress preferred = NetworkAddress.FromIPv4(0x0a0000fd, 4433);
        using Pair pair = new Pair(new PairOptions { Client = Several, Server = Several, PreferredAddress = preferred }).Handshake();
        pair.RunFor(2_000_000);
        Assert.AreEqual(preferred, pair.Client.Core!.State.Paths.First.Network.Remote);
        UseSecond(pair);
        Assert.AreEqual(preferred, pair.Client.Core.State.Paths.Find(1)!.Network.Remote);
    }

    [TestMethod]
    public void A_server_that_forbids_migration_forbids_paths_to_its_address()
    {
        using Pair pair = new Pair(new PairOptions { Client = Several, Server = Several with { DisableActiveMigration = true } }).Handshake();
        pair.RunFor(500_000);
        Assert.AreEqual(PathOpening.Forbidden, pair.Client.Core!.TryOpenPath(Second, default, pair.Now, out _));
    }

    [TestMethod]
    public void An_end_without_connection_ids_offers_no_further_paths()
    {
        using Pair pair = new Pair(new PairOptions { Client = Several, Server = Several, ClientIdLength = 0 }).Handshake();
        pair.RunFor(500_000);
        Assert.IsFalse(pair.Client.Core!.IsMultipath);
        Assert.IsFalse(pair.Server.Core!.IsMultipath);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(10_000), 5_000_000);
    }

    [TestMethod]
    public void Any_path_can_be_moved_by_the_client()
    {
        using Pair pair = new Pair(new PairOptions { Client = Several, Server = Several }).Handshake();
        UseSecond(pair);
        NetworkAddress moved = NetworkAddress.FromIPv4(0x0a000304, 50009);
        Assert.IsTrue(pair.Client.Core!.State.Paths.Find(1)!.Migration.TryMigrate(moved, pair.Now, out _));
        pair.RunFor(2_000_000);
        Assert.AreEqual(moved, pair.Client.Core.State.Paths.Find(1)!.Network.Local);
        Assert.AreEqual(pair.Network.Translate(moved), pair.Server.Core!.State.Paths.Find(1)!.Network.Remote);
        Assert.AreEqual(pair.Client.Address, pair.Client.Core.State.Paths.First.Network.Local);
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(500_000), 10_000_000);
    }

    private static void UseSecond(Pair pair)
    {
        pair.RunFor(500_000);
        Assert.IsTrue(pair.Client.Core!.IsMultipath && pair.Server.Core!.IsMultipath);
        Assert.AreEqual(PathOpening.Begun, pair.Client.Core.TryOpenPath(Second, default, pair.Now, out uint id));
        Assert.AreEqual(1u, id);
        pair.RunUntil(() => pair.Server.Core.State.Paths.Find(id) is { IsUsable: true }, 5_000_000, "a path");
        pair.Network.Conditions = new LinkConditions { Delay = 100_000 };
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(2_000_000), 20_000_000);
        Assert.IsTrue(Array.TrueForAll(pair.Client.Core.GetPaths(), path => path.BytesSent > 50_000));
        Assert.IsNull(pair.Client.Closed);
    }
}
