using System.Net;
using System.Runtime.CompilerServices;
using Post.Sockets.Testing;

namespace Post.Sockets.Tests.Paths;

/// <summary>The example of docs/testing.md with several paths is the code of this test, and works.</summary>
[TestClass]
public sealed class TestingDocumentPathTests
{
    [TestMethod]
    public void The_example_works()
    {
        // The example begins here.
        var network = new InMemoryNetwork(seed: 1, new InMemoryLinkOptions { BitsPerSecond = 20_000_000, Delay = TimeSpan.FromMilliseconds(10) });
        var server = new AssociationFactory(network.CreateTransport(InMemoryNetwork.AllCapabilities));
        InMemoryTransport laptop = network.CreateTransport(InMemoryNetwork.AllCapabilities);
        InMemoryInterface cable = laptop.AddInterface("eth0", IPAddress.Parse("192.0.2.1"));
        laptop.AddInterface("wlan0", IPAddress.Parse("203.0.113.1"));

        network.Run(async () =>
        {
            var address = new IPEndPoint(IPAddress.Parse("198.51.100.1"), 4433);
            await using Listener listener = await server.ListenAsync(Local.At(address));
            await using Association client = await new AssociationFactory(laptop).AssociateAsync(
                Local.Anonymous, Remote.Named("198.51.100.1", 4433));
            await using Association peer = (await listener.AcceptAsync())!;
            peer.Register<Received>(_ => { });
            await Task.Delay(TimeSpan.FromSeconds(1), network.Clock);
            Assert.AreEqual("eth0 Active, wlan0 Standby", string.Join(", ", client.Paths.Select(path => $"{path.InterfaceName} {path.State}")));

            cable.IsUp = false;
            SentObject sent = client.Send("by the other way"u8.ToArray(), new ObjectProperties { Lifetime = TimeSpan.FromSeconds(1) });
            Assert.AreEqual(ObjectOutcome.Acked, (await sent.Completion).Outcome);
            Assert.IsFalse(client.IsInterrupted);
        });

        // The example ends here.
        Assert.AreEqual(0, network.Clock.ForeignWork);
    }

    [TestMethod]
    public void The_example_in_the_document_is_this_code() => DocumentedCode.AssertSame("testing.md", ThisFile(), example: 2);

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
