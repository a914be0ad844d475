using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Post.Quic.Managed;
using Post.Sockets;
using Post.Sockets.Tests;

namespace Post.Quic.Tests.Documents;

/// <summary>The example in the README runs as printed.</summary>
[TestClass]
public sealed class ReadmeTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task The_ten_lines_run()
    {
        // The example begins here.
        await using var transport = new ManagedTransport();
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

        // The receipt says that the object was handed over; the handler prints it a moment later.
        while (!Console.Printed.Contains("urgent", StringComparison.Ordinal))
        {
            await Task.Delay(10, TestContext.CancellationToken);
        }
    }

    [TestMethod]
    public void The_example_in_the_readme_is_this_code() => DocumentedCode.AssertSame("../README.md", ThisFile());

    private static string ThisFile([CallerFilePath] string path = "") => path;

    /// <summary>Stands before the system's, so that the example's lines can be read back while other tests print.</summary>
    private static class Console
    {
        private static readonly StringWriter Output = new();

        public static string Printed
        {
            get
            {
                lock (Output)
                {
                    return Output.ToString();
                }
            }
        }

        public static void WriteLine(object? value)
        {
            lock (Output)
            {
                Output.WriteLine(value);
            }
        }
    }
}
