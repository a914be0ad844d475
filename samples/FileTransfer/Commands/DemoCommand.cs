using System.CommandLine;
using System.Net;
using System.Security.Cryptography;
using FileTransfer.Client;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using FileTransfer.Reporting;
using FileTransfer.Serving;
using FileTransfer.Storage.Secrets;
using Post.Sockets;
using Post.Sockets.Transport;

namespace FileTransfer.Commands;

/// <summary>
/// <c>demo</c>: makes a directory of real variety, serves it and fetches it over loopback, moves the connection to another port on the way
/// where the engine can, and compares the hash of every file.
/// </summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var size = new Option<int>("--size") { Description = "The size of the largest file in MiB.", DefaultValueFactory = _ => 64 };
        size.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 65536)
            {
                result.AddError("--size is 1 to 65536 MiB.");
            }
        });
        var command = new Command("demo", "Makes files, serves and fetches them over loopback, and verifies every hash.") { size };
        command.SetAction((parsed, cancellationToken) => CommonOptions.RunAsync(parsed, async reporter =>
        {
            var directory = Directory.CreateTempSubdirectory("post-file-demo-").FullName;
            try
            {
                var summary = await RunAsync(parsed, directory, parsed.GetValue(size), reporter, cancellationToken);
                reporter.Result(summary);
                return summary.Code(isPut: false);
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }
        }));
        return command;
    }

    private static async Task<Summary> RunAsync(
        ParseResult parsed, string directory, int size, IReporter reporter, CancellationToken cancellationToken)
    {
        var from = Path.Combine(directory, "served");
        var to = Path.Combine(directory, "fetched");
        DemoFiles.Create(from, size);
        using var identity = StoredIdentity.LoadOrCreate(Path.Combine(directory, "identity.pfx"));
        await using var serverHost = CommonOptions.CreateHost(parsed);
        await using var server = await FileServer.StartAsync(
            serverHost.Host, Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity), from, false, reporter, cancellationToken);
        reporter.Note($"serving {server.EndPoint} ({serverHost.Engine}), key {server.Key}");

        await using var clientHost = CommonOptions.CreateHost(parsed);
        await using var client = await FileClient.ConnectAsync(
            clientHost.Host, Local.Anonymous, Remote.Pinned(server.EndPoint, server.Key), cancellationToken);
        using var destination = new DestinationTree(to);
        var moving = MoveAsync(client.Association, reporter, cancellationToken);
        var progress = new TransferProgress();
        var summary = await Transfers.RunAsync(
            "demo",
            reporter,
            client.Association,
            progress,
            () => client.GetAsync(new GetRequest([]), destination, new DestinationOptions { OnNote = reporter.Note }, progress, cancellationToken));
        await moving;
        return Verify(from, to, summary);
    }

    /// <summary>What a telephone does that leaves the house: the transfer goes on from another address.</summary>
    private static async Task MoveAsync(Association association, IReporter reporter, CancellationToken cancellationToken)
    {
        if (!association.Capabilities.HasFlag(TransportCapabilities.Migration))
        {
            return;
        }

        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
            await association.MigrateAsync(null, cancellationToken);
        }
        catch (PostException exception)
        {
            reporter.Note($"the connection stayed where it was: {exception.Message}");
        }
    }

    private static Summary Verify(string from, string to, Summary summary)
    {
        var failed = summary.Failed.ToList();
        var verified = 0L;
        var originals = Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).ToList();
        if (summary.Files != originals.Count)
        {
            failed.Add(new(".", $"{summary.Files} files were fetched, of {originals.Count}"));
        }

        foreach (var original in originals)
        {
            var name = Path.GetRelativePath(from, original);
            var copy = Path.Combine(to, name);
            if (File.Exists(copy) && Hash(original).AsSpan().SequenceEqual(Hash(copy)))
            {
                verified++;
            }
            else if (!failed.Exists(one => one.Path == name))
            {
                failed.Add(new(name, "It is not like its original."));
            }
        }

        return summary with { Verified = failed.Count == 0 ? verified : null, Failed = failed };
    }

    private static byte[] Hash(string path)
    {
        using var stream = File.OpenRead(path);
        return SHA256.HashData(stream);
    }
}
