using System.Globalization;
using System.Net;
using Post.Sockets.Paths;

namespace Post.Sockets.Tests.Paths;

[TestClass]
public sealed class PathManagerTests
{
    private const string Ethernet = "192.0.2.1";
    private const string Wireless = "203.0.113.1";
    private const string Cellular = "100.64.0.1";

    [TestMethod]
    public void A_second_path_is_kept_in_reserve_for_handover()
    {
        var world = Make();
        world.RunFor(1000);
        CollectionAssert.AreEqual(new[] { "eth", "wlan" }, world.Working);
        CollectionAssert.AreEqual(new[] { world.Paths[1].Id }, world.Reserve.ToArray());
    }

    [TestMethod]
    [DataRow(MultipathPolicy.Interactive)]
    [DataRow(MultipathPolicy.Aggregate)]
    public void All_interfaces_are_used_and_metered_ones_wait(MultipathPolicy policy)
    {
        var world = new ManagerWorld(policy, local: Local.Anonymous with { MeteredInterfaces = ["wwan"] });
        world.Plug("eth", Ethernet);
        world.Plug("wlan", Wireless);
        world.Plug("wwan", Cellular);
        world.Connect("eth");
        world.RunFor(1000);
        CollectionAssert.AreEqual(new[] { "eth", "wlan", "wwan" }, world.Working);
        var metered = world.Paths.Single(path => ((IPEndPoint)path.LocalEndPoint!).Address.Equals(IPAddress.Parse(Cellular)));
        CollectionAssert.AreEqual(new[] { metered.Id }, world.Reserve.ToArray());

        world.Unplug("eth");
        world.Unplug("wlan");
        world.RunFor(1000);
        CollectionAssert.AreEqual(new[] { "wwan" }, world.Working);
        Assert.IsEmpty(world.Reserve, "nothing else works");
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void An_address_that_goes_is_replaced_within_a_second(bool multipath)
    {
        var world = Make(multipath: multipath);
        world.RunFor(1000);
        world.Unplug("eth");
        world.RunFor(1000);
        CollectionAssert.AreEqual(new[] { "wlan" }, world.Working);
        Assert.HasCount(1, world.Paths, "the dead one is given up");
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void An_address_that_is_renewed_is_taken_up_at_once(bool multipath)
    {
        var world = new ManagerWorld(multipath: multipath);
        world.Plug("eth", Ethernet);
        world.Connect("eth");
        world.Unplug("eth");
        world.RunFor(5000);
        Assert.IsEmpty(world.Working);
        world.Plug("eth", "192.0.2.77");
        world.RunFor(100);
        CollectionAssert.AreEqual(new[] { "eth" }, world.Working);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_new_default_route_is_followed(bool multipath)
    {
        var world = Make(multipath: multipath);
        world.RunFor(1000);
        world.Plug("vpn", "10.8.0.2");
        world.Route("vpn");
        world.RunFor(1000);
        CollectionAssert.Contains(world.Working, "vpn");
        if (multipath)
        {
            var primary = world.Paths.Single(path => !world.Reserve.Contains(path.Id));
            Assert.AreEqual(IPAddress.Parse("10.8.0.2"), ((IPEndPoint)primary.LocalEndPoint!).Address);
            Assert.HasCount(2, world.Paths, "one in use and one ready");
        }

        world.Unplug("vpn");
        world.RunFor(1000);
        CollectionAssert.Contains(world.Working, "eth");
    }

    [TestMethod]
    public void The_order_of_the_local_stands_before_the_routes_of_the_machine()
    {
        var world = new ManagerWorld(multipath: false, local: Local.Anonymous with { Interfaces = ["wlan", "eth"] });
        world.Plug("eth", Ethernet);
        world.Connect("eth");
        world.RunFor(100);
        CollectionAssert.AreEqual(new[] { "eth" }, world.Working);
        world.Plug("wlan", Wireless);
        world.Plug("wwan", Cellular);
        world.Route("wwan");
        world.RunFor(1000);
        CollectionAssert.AreEqual(new[] { "wlan" }, world.Working);
        world.Unplug("wlan");
        world.Unplug("eth");
        world.RunFor(5000);
        Assert.IsEmpty(world.Working, "an interface that the Local does not name is never used");
    }

    [TestMethod]
    public void A_move_that_the_application_asks_for_is_kept_while_it_works()
    {
        var world = Make(multipath: false);
        world.MoveByHand("wlan");
        world.RunFor(60_000);
        CollectionAssert.AreEqual(new[] { "wlan" }, world.Working);
        world.Silence("wlan");
        world.RunFor(1000);
        CollectionAssert.AreEqual(new[] { "eth" }, world.Working);
    }

    [TestMethod]
    public void A_silent_path_is_left_without_multipath()
    {
        var world = Make(multipath: false);
        world.Silence("eth");
        world.RunFor(1000);
        CollectionAssert.AreEqual(new[] { "wlan" }, world.Working);
    }

    [TestMethod]
    public void Nothing_is_opened_without_multipath_and_nothing_is_moved_by_a_server()
    {
        var world = Make(multipath: false);
        world.RunFor(10_000);
        Assert.IsEmpty(world.Done);
    }

    [TestMethod]
    public void Further_addresses_of_the_peer_get_a_path()
    {
        var world = new ManagerWorld();
        world.Plug("eth", Ethernet);
        world.Connect("eth");
        var further = new IPEndPoint(IPAddress.Parse("198.51.100.2"), 4433);
        world.PeerIsAt(further, ManagerWorld.Server);
        world.RunFor(1000);
        CollectionAssert.AreEqual(new[] { ManagerWorld.Server, further }, world.Paths.Select(path => path.RemoteEndPoint).ToArray());
    }

    [TestMethod]
    public void A_connection_is_made_at_once_when_the_machine_has_a_way_again()
    {
        var world = new ManagerWorld();
        world.Plug("eth", Ethernet);
        world.Connect("eth");
        world.Unplug("eth");
        world.RunFor(40_000);
        world.Lose();
        Assert.IsFalse(world.Done.Exists(action => action.Kind == PathActionKind.Reconnect));
        world.Plug("wlan", Wireless);
        Assert.AreEqual(PathActionKind.Reconnect, world.Done[^1].Kind);
    }

    [TestMethod]
    public void A_link_that_flaps_is_left_in_reserve_until_it_holds()
    {
        var world = Make();
        world.RunFor(1000);
        world.Done.Clear();
        for (var i = 0; i < 300; i++)
        {
            world.SetUp("eth", false);
            world.RunFor(100);
            world.SetUp("eth", true);
            world.RunFor(100);
        }

        // A minute of it: without the guard, each turn would change over and back.
        Assert.IsLessThan(60, world.Done.Count, "the association is not pulled to and fro");
        world.RunFor(60_000);
        var primary = world.Paths.Single(path => !world.Reserve.Contains(path.Id));
        Assert.AreEqual(IPAddress.Parse(Ethernet), ((IPEndPoint)primary.LocalEndPoint!).Address);
    }

    [TestMethod]
    public void A_path_that_the_transport_does_not_give_up_is_left_alone_for_a_while()
    {
        var world = Make();
        world.RunFor(1000);
        world.KeepsPaths = true;
        world.Unplug("eth");
        world.RunFor(10_000);
        Assert.IsInRange(2, 12, world.Done.Count(action => action.Kind == PathActionKind.Close));
        world.KeepsPaths = false;
        world.RunFor(2000);
        Assert.HasCount(1, world.Paths);
    }

    [TestMethod]
    public void A_way_that_never_answers_is_tried_less_and_less()
    {
        var world = Make();
        world.Silence("wlan");
        world.RunFor(600_000);
        var tried = world.Done.Count(action => action.Kind == PathActionKind.Open);
        Assert.IsInRange(5, 25, tried);
    }

    [TestMethod]
    public void Whatever_comes_and_goes_there_is_a_working_path_a_second_after_there_is_a_way()
    {
        var worlds = int.Parse(Environment.GetEnvironmentVariable("POST_QUIC_WORLDS") ?? "300", CultureInfo.InvariantCulture);
        var only = Environment.GetEnvironmentVariable("POST_QUIC_SEED");
        for (var seed = only is null ? 0 : int.Parse(only, CultureInfo.InvariantCulture); seed < (only is null ? worlds : int.MaxValue); seed++)
        {
            Play(seed);
            if (only is not null)
            {
                break;
            }
        }
    }

    private static ManagerWorld Make(MultipathPolicy policy = MultipathPolicy.Handover, bool multipath = true)
    {
        var world = new ManagerWorld(policy, multipath);
        world.Plug("eth", Ethernet);
        world.Plug("wlan", Wireless);
        world.Connect("eth");
        return world;
    }

    private static void Play(int seed)
    {
        var random = new Random(seed);
        var multipath = random.Next(3) != 0;
        var world = Make((MultipathPolicy)random.Next(1, 4), multipath);
        string[] names = ["eth", "wlan", "wwan", "vpn"];
        var plugged = new HashSet<string> { "eth", "wlan" };
        for (var step = 0; step < 60; step++)
        {
            var name = names[random.Next(names.Length)];
            switch (random.Next(6))
            {
                case 0 when plugged.Add(name):
                    world.Plug(name, $"10.{Array.IndexOf(names, name)}.{step}.{random.Next(1, 250)}", metered: name == "wwan");
                    break;
                case 1 when plugged.Remove(name):
                    world.Unplug(name);
                    break;
                case 2 when plugged.Contains(name):
                    world.SetUp(name, random.Next(2) == 0);
                    break;
                case 3 when plugged.Contains(name):
                    world.Route(name);
                    break;
                case 4 when plugged.Contains(name):
                    world.Silence(name, random.Next(3) == 0);
                    break;
                case 5:
                    world.PeerIsAt([.. Enumerable.Range(1, random.Next(4)).Select(i => new IPEndPoint(IPAddress.Parse($"198.51.100.{i}"), 4433))]);
                    break;
            }

            world.RunFor(random.Next(4) == 0 ? 3000 : random.Next(300));
            Assert.IsLessThanOrEqualTo(multipath ? 9 : 1, world.Paths.Count, $"POST_QUIC_SEED={seed}: paths pile up");
            if (random.Next(4) == 0)
            {
                var isFree = world.HasWay;
                world.RunFor(1000);
                Assert.IsTrue(!isFree || world.Working.Length > 0, $"POST_QUIC_SEED={seed}: no path a second after there is a way, in step {step}");
            }
        }

        Assert.IsLessThan(600, world.Done.Count, $"POST_QUIC_SEED={seed}: too much is done");
    }
}
