using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Post.Sockets.Testing;

namespace Post.Sockets.Tests.Associations;

/// <summary>The example of docs/semantics.md is the code of this test, and works.</summary>
[TestClass]
public sealed class SemanticsDocumentTests
{
    [TestMethod]
    public void The_ten_lines_work()
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: 10));
        var transport = network.CreateTransport();
        var written = new List<string>();
        network.Run(async () =>
        {
            // The example begins here.
            var identity = Identity.CreateSelfSigned("server");
            await using var listener = await Listener.ListenAsync(transport, Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity));
            listener.Register<Accept>(accept => accept.Association.Register<Received>(received =>
                Console.WriteLine(Encoding.UTF8.GetString(received.Object.Payload))));

            var remote = Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], KeyFingerprint.Of(identity));
            await using var association = await Association.AssociateAsync(transport, Local.Anonymous, remote);
            association.Send("hello"u8);
            var receipt = await association.Send("urgent"u8, new() { Niceness = 0, Lifetime = TimeSpan.FromSeconds(1) }).Completion;
            Console.WriteLine(receipt);

            // The example ends here.
            written.Add(receipt.ToString());
            Assert.AreEqual(PeerProof.PinnedKey, association.Peer.Proof);
        });
        Assert.AreEqual("Acked (Delivered)", written.Single());
    }

    [TestMethod]
    public void The_example_in_the_document_is_this_code() => DocumentedCode.AssertSame("semantics.md", ThisFile());

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
