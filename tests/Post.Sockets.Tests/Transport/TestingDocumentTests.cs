using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Post.Sockets.Testing;

namespace Post.Sockets.Tests.Transport;

/// <summary>The example of docs/testing.md is the code of this test, and works.</summary>
[TestClass]
public sealed class TestingDocumentTests
{
    [TestMethod]
    public void The_example_works()
    {
        // The example begins here.
        var network = new InMemoryNetwork(seed: 1, new InMemoryLinkOptions
        {
            BitsPerSecond = 1_000_000,
            Delay = TimeSpan.FromMilliseconds(25),
            Loss = 0.02,
        });
        var factory = new AssociationFactory(network.CreateTransport());

        network.Run(async () =>
        {
            await using Listener listener = await factory.ListenAsync(Local.At(new DnsEndPoint("server", 4433)));
            await using Association client = await factory.AssociateAsync(Local.Anonymous, Remote.Named("server", 4433));
            await using Association server = (await listener.AcceptAsync())!;

            SentObject sent = client.Send("hello"u8.ToArray(), new ObjectProperties { Lifetime = TimeSpan.FromSeconds(2) });
            using ReceivedObject received = await server.ReceiveAsync();
            Assert.AreEqual("hello", Encoding.UTF8.GetString(received.Payload));
            Assert.AreEqual(ObjectOutcome.Acked, (await sent.Completion).Outcome);

            network.Wires[0].Paths[0].IsUp = false;
            SentObject late = client.Send("nobody hears this"u8.ToArray(), new ObjectProperties { Lifetime = TimeSpan.FromSeconds(2) });
            Assert.AreEqual(ObjectOutcome.Expired, (await late.Completion).Outcome);
            network.Wires[0].Paths[0].IsUp = true;
        });

        // The example ends here.
        Assert.AreEqual(0, network.Clock.ForeignWork);
    }

    [TestMethod]
    public void The_example_in_the_document_is_this_code() => DocumentedCode.AssertSame("testing.md", ThisFile());

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
