using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Post.Quic.Tests.EndToEnd;
using Post.Sockets;
using Post.Sockets.Tests;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Documents;

/// <summary>The ten lines of docs/semantics.md run as printed over a network, whichever engine carries them.</summary>
[TestClass]
public sealed class SemanticsTests
{
    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(TestEngine.Managed)]
    [DataRow(TestEngine.PlainMsQuic)]
    public async Task The_ten_lines_run_over_a_network(TestEngine engine)
    {
        await using PostTransport transport = PostPair.TransportOf(engine);

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

        Assert.AreEqual(ObjectOutcome.Acked, receipt.Outcome);
    }

    [TestMethod]
    public void The_example_in_the_document_is_this_code() => DocumentedCode.AssertSame("semantics.md", ThisFile());

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
