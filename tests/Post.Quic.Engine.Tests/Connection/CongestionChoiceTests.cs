using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Multipath;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Tests.Worlds;

namespace Post.Quic.Engine.Tests.Connection;

/// <summary>Which congestion controller a connection has, and when it gets another.</summary>
[TestClass]
public sealed class CongestionChoiceTests
{
    [TestMethod]
    [DataRow("Auto", "cubic", "bbr3")]
    [DataRow("Cubic", "cubic", "cubic")]
    [DataRow("NewReno", "newreno", "newreno")]
    [DataRow("Bbr", "bbr3", "bbr3")]
    public void A_datagram_with_a_deadline_decides_where_nothing_was_chosen(string chosen, string before, string after)
    {
        using Pair pair = Connect(chosen);
        World.Exchange(pair, 100_000, 10_000_000);
        Assert.AreEqual(before, Transmission(pair).Congestion.Name);

        Assert.AreEqual(DatagramEnqueueResult.Queued, pair.Client.Core!.Datagrams.TryEnqueue(new byte[100], 0, long.MaxValue, out _));
        pair.RunFor(100_000);
        Assert.AreEqual(before, Transmission(pair).Congestion.Name);

        Assert.AreEqual(DatagramEnqueueResult.Queued, pair.Client.Core!.Datagrams.TryEnqueue(new byte[100], 0, pair.Now + 1_000_000, out _));
        pair.RunFor(100_000);
        Assert.AreEqual(after, Transmission(pair).Congestion.Name);
        World.Exchange(pair, 100_000, 10_000_000);
        World.End(pair);
    }

    [TestMethod]
    public void A_stream_with_a_deadline_decides_as_well()
    {
        using Pair pair = Connect("Auto");
        Assert.IsTrue(pair.Client.Core!.Streams.TryOpen(false, out StreamState? stream));
        stream!.SetUrgency(new SendUrgency(0, pair.Now + 10_000_000));
        stream.WriteAll(new byte[100]);
        pair.RunFor(100_000);
        Assert.AreEqual("bbr3", Transmission(pair).Congestion.Name);
    }

    [TestMethod]
    public void Every_path_gets_it_and_those_that_are_opened_later_too()
    {
        using var links = new TwoLinks(1, TwoLinks.Link(20, 40), TwoLinks.Link(20, 50));
        links.Begin(new byte[1_000], new SendUrgency(0, links.Pair.Now + 10_000_000));
        links.Pair.RunFor(500_000);
        _ = links.Open(NetworkAddress.FromIPv4(0x0a000103, 50_002));
        string[] names = [.. links.Pair.Client.Core!.State.Paths.Open.ToArray().Select(path => path.Transmission.Congestion.Name)];
        CollectionAssert.AreEqual(new[] { "bbr3", "bbr3", "bbr3" }, names);
    }

    [TestMethod]
    public void The_window_goes_over_to_the_next_controller()
    {
        using Pair pair = Connect("Auto");
        World.Exchange(pair, 1_000_000, 30_000_000);
        Transmission transmission = Transmission(pair);
        long window = transmission.Congestion.Window;
        long events = transmission.Congestion.CongestionEvents;
        Assert.IsGreaterThan(transmission.Congestion.InitialWindow, window);
        _ = pair.Client.Core!.Datagrams.TryEnqueue(new byte[100], 0, pair.Now + 1_000_000, out _);
        pair.RunFor(1_000);
        Assert.AreEqual("bbr3", transmission.Congestion.Name);
        Assert.AreEqual((window, events), (transmission.Congestion.Window, transmission.Congestion.CongestionEvents));
    }

    private static Pair Connect(string chosen)
    {
        ConnectionSettings both = World.Patient with { Congestion = Enum.Parse<CongestionAlgorithm>(chosen) };
        return World.Connected(1, both);
    }

    private static Transmission Transmission(Pair pair) => pair.Client.Core!.State.Paths.First.Transmission;
}
