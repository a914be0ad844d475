using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Post.Sockets;
using Post.Sockets.Tests;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>Files with durable ids go on after a restart, whatever engines are at the two ends; and the example of docs/semantics.md runs as printed.</summary>
[TestClass]
public sealed class DurableObjectTests : EndToEndTests
{
    private const int Length = 20_000_000;

    private static readonly AssociationOptions Options = new()
    {
        IdleTimeout = TimeSpan.FromSeconds(2),
        KeepAliveInterval = TimeSpan.FromMilliseconds(200),
        Incremental = IncrementalDelivery.WhenLarge,
        ResumptionTimeout = TimeSpan.FromSeconds(3),
    };

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_file_goes_on_where_a_restarted_server_has_it_and_nothing_before_that_moves_again(TestEngine client, TestEngine server)
    {
        var directory = Directory.CreateTempSubdirectory("post");
        try
        {
            var bytes = Bytes(Length);
            var path = Path.Combine(directory.FullName, "source");
            await File.WriteAllBytesAsync(path, bytes, Cancel);
            var parts = directory.CreateSubdirectory("parts");
            await using PostPair pair = await PostPair.ListenAsync(
                client, server, new PairSetup { ClientOptions = Options, ServerOptions = Options, IsCuttable = true }, Cancel);
            pair.Listener.Register<Accept>(accept => Receive(accept.Association, parts.FullName));

            await using (Association first = await pair.AssociateOneSidedAsync(Cancel))
            {
                var sending = SendAsync(first, path);
                await UntilAsync(() => Size(parts) > Length / 5 * 4);
                pair.Cut!.IsUp = false;
                await pair.RestartListenerAsync(Cancel);
                first.Abort();
                Assert.AreEqual(ObjectOutcome.Failed, (await sending).Receipt!.Outcome);
            }

            // What the old process had read is on its disk; it has gone by the time that the new one looks.
            await UntilQuietAsync(() => Size(parts));
            var kept = Size(parts);
            Assert.IsTrue(kept is > Length / 5 * 4 and < Length, $"{kept} of {Length} bytes arrived before the server was killed");
            pair.Listener.Register<Accept>(accept => Receive(accept.Association, parts.FullName));
            pair.Cut.IsUp = true;

            await using Association second = await pair.AssociateOneSidedAsync(Cancel);
            var before = pair.Cut.BytesToServer;
            var sent = await SendAsync(second, path);
            Assert.AreEqual(ObjectOutcome.Acked, sent.Receipt!.Outcome);
            Assert.AreEqual(kept, sent.Offset);
            var moved = pair.Cut.BytesToServer - before;
            Assert.IsLessThan((Length - kept) * 1.3 + 100_000, moved, $"{moved} bytes moved for the {Length - kept} that were missing");
            await UntilAsync(() => Size(parts) == Length);
            CollectionAssert.AreEqual(SHA256.HashData(bytes), SHA256.HashData(await File.ReadAllBytesAsync(parts.GetFiles().Single().FullName, Cancel)));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [TestMethod]
    public void The_example_in_the_document_is_this_code() => DocumentedCode.AssertSame("semantics.md", ThisFile(), example: 2);

    // The example begins here.
    private static async Task<SentObject> SendAsync(Association sender, string path)
    {
        var file = new FileInfo(path);
        var version = $"{path} {file.Length} {file.LastWriteTimeUtc:O}";
        var sent = sender.Send(
            (offset, _) =>
            {
                var source = file.OpenRead();
                source.Position = offset;
                return ValueTask.FromResult<Stream>(source);
            },
            file.Length,
            new() { DurableId = SHA256.HashData(Encoding.UTF8.GetBytes(version)) });
        await sent.Completion;
        return sent;
    }

    private static void Receive(Association receiver, string directory) => receiver.Register<Received>(async received =>
    {
        await using var part = File.OpenWrite(Path.Combine(directory, received.Object.DurableKey!));
        received.Object.ResumeFrom(part.Seek(0, SeekOrigin.End));
        await received.Object.AsStream().CopyToAsync(part);
    });

    // The example ends here.
    private static long Size(DirectoryInfo directory) => directory.GetFiles().Sum(static file => file.Length);

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
