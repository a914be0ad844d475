using System.Net;
using System.Runtime.CompilerServices;
using Post.Sockets.Testing;

namespace Post.Sockets.Tests.Resumption;

/// <summary>The second example of docs/semantics.md is the code of this test, and works.</summary>
[TestClass]
public sealed class SemanticsDocumentGapTests
{
    [TestMethod]
    public void The_example_works()
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: 10));
        var transport = network.CreateTransport();
        network.Run(async () =>
        {
            await using var listener = await Listener.ListenAsync(transport, Local.At(new DnsEndPoint("server", 4433)));
            listener.Register<Accept>(accept => accept.Association.Register<Received>(_ => { }));
            var remote = Remote.Named("server", 4433);

            // The example begins here.
            var options = new AssociationOptions { ResumptionTimeout = TimeSpan.FromMinutes(5) };
            await using var association = await Association.AssociateAsync(transport, Local.Anonymous, remote, options);
            association.Register<ConnectionChanged>(changed =>
                Console.WriteLine(changed.IsConnected ? $"back after {changed.Gap}" : $"interrupted: {changed.Error!.Message}"));

            // The example ends here.
            network.Wires[0].Break();
            (await association.Send("x"u8).Completion).EnsureAcked();
        });
    }

    [TestMethod]
    public void The_example_in_the_document_is_this_code() => DocumentedCode.AssertSame("semantics.md", ThisFile(), example: 1);

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
