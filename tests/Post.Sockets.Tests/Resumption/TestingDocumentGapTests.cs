using System.Net;
using System.Runtime.CompilerServices;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Resumption;

/// <summary>The second example of docs/testing.md is the code of this test, and works.</summary>
[TestClass]
public sealed class TestingDocumentGapTests
{
    [TestMethod]
    public void The_example_works()
    {
        // The example begins here.
        var network = new InMemoryNetwork(seed: 1);
        var factory = new AssociationFactory(network.CreateTransport());

        network.Run(async () =>
        {
            await using Listener listener = await factory.ListenAsync(Local.At(new DnsEndPoint("server", 4433)));
            await using Association client = await factory.AssociateAsync(Local.Anonymous, Remote.Named("server", 4433));
            await using Association server = (await listener.AcceptAsync())!;
            server.Register<Received>(_ => { });

            network.IsUp = false;
            network.Wires[0].Break(TransportErrorReason.TimedOut);
            SentObject sent = client.Send("sent in the gap"u8.ToArray());
            await Task.Delay(TimeSpan.FromSeconds(10), network.Clock);
            Assert.IsTrue(client.IsInterrupted);

            network.IsUp = true;
            Assert.AreEqual(ObjectOutcome.Acked, (await sent.Completion).Outcome);
        });

        // The example ends here.
        Assert.AreEqual(0, network.Clock.ForeignWork);
    }

    [TestMethod]
    public void The_example_in_the_document_is_this_code() => DocumentedCode.AssertSame("testing.md", ThisFile(), example: 1);

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
