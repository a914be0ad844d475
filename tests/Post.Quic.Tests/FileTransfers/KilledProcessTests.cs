using System.Diagnostics;
using System.Text.Json;
using FileTransfer.Storage;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>The program itself, killed without a chance to clean up (SIGKILL), on either side.</summary>
[TestClass]
public sealed class KilledProcessTests
{
    private const int Size = 120_000_000;

    public required TestContext TestContext { get; init; }

    private CancellationToken Canceled => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    [DataRow(true, DisplayName = "the client is killed")]
    [DataRow(false, DisplayName = "the server is killed")]
    public async Task After_a_kill_in_mid_transfer_the_same_command_moves_only_the_rest(bool killClient)
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/large.bin", Size, seed: 1);
        (Process server, string endPoint, string key) = await ServeAsync(directory, "127.0.0.1:0");
        try
        {
            using Process first = Get(directory, endPoint, key);
            await WaitForPartAsync(directory, first);
            (killClient ? first : server).Kill();
            if (!killClient)
            {
                // The file stops growing at once; the client need not wait until it is sure of the loss.
                first.Kill();
            }

            await first.WaitForExitAsync(Canceled);
            Assert.IsFalse(File.Exists(directory.Combine("fetched/large.bin")), "A half-written file bears its name.");
            long kept = new FileInfo(PartOf(directory)).Length;
            if (!killClient)
            {
                await server.WaitForExitAsync(Canceled);
                server.Dispose();
                (server, endPoint, key) = await ServeAsync(directory, endPoint);
            }

            using Process second = Get(directory, endPoint, key);
            string output = await second.StandardOutput.ReadToEndAsync(Canceled);
            await second.WaitForExitAsync(Canceled);

            Assert.AreEqual(0, second.ExitCode, output);
            Assert.AreEqual(Size - kept, BytesMoved(output));
            Assert.AreEqual(
                Convert.ToHexString(await HashAsync(directory.Combine("served/large.bin"))),
                Convert.ToHexString(await HashAsync(directory.Combine("fetched/large.bin"))));
        }
        finally
        {
            server.Kill();
            server.Dispose();
        }
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    public async Task A_client_goes_on_by_itself_when_its_server_is_killed_and_started_anew()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/large.bin", Size, seed: 1);
        (Process server, string endPoint, string key) = await ServeAsync(directory, "127.0.0.1:0");
        try
        {
            using Process client = Get(directory, endPoint, key);
            await WaitForPartAsync(directory, client);
            server.Kill();
            await server.WaitForExitAsync(Canceled);
            server.Dispose();
            (server, _, _) = await ServeAsync(directory, endPoint);

            string output = await client.StandardOutput.ReadToEndAsync(Canceled);
            await client.WaitForExitAsync(Canceled);

            Assert.AreEqual(0, client.ExitCode, output);
            long moved = BytesMoved(output);
            Assert.IsLessThanOrEqualTo(Size, moved, "Bytes that were there have moved again.");
            Assert.IsGreaterThan(Size / 2, moved);
            Assert.AreEqual(
                Convert.ToHexString(await HashAsync(directory.Combine("served/large.bin"))),
                Convert.ToHexString(await HashAsync(directory.Combine("fetched/large.bin"))));
        }
        finally
        {
            server.Kill();
            server.Dispose();
        }
    }

    private static long BytesMoved(string output)
    {
        using JsonDocument result = JsonDocument.Parse(output.Split('\n').Single(line => line.Contains("\"result\"", StringComparison.Ordinal)));
        return result.RootElement.GetProperty("summary").GetProperty("bytesMoved").GetInt64();
    }

    private static string PartOf(TempDirectory directory) =>
        Directory.EnumerateFiles(directory.Combine("fetched/" + RelativePath.StateDirectory), "*.part").Single();

    private static Process Start(params IEnumerable<string> arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "post-file.dll"), .. arguments, "--engine", "Managed", "--json"])
        {
            RedirectStandardOutput = true,
        })!;

    private static Process Get(TempDirectory directory, string endPoint, string key) =>
        Start("get", endPoint, "--key", key, "--out", directory.Combine("fetched"));

    private async Task<byte[]> HashAsync(string path)
    {
        await using FileStream stream = File.OpenRead(path);
        return await System.Security.Cryptography.SHA256.HashDataAsync(stream, Canceled);
    }

    private async Task<(Process Server, string EndPoint, string Key)> ServeAsync(TempDirectory directory, string endPoint)
    {
        Process server = Start("serve", directory.Combine("served"), "--listen", endPoint, "--identity", directory.Combine("keys/identity.pfx"));
        string line = await server.StandardOutput.ReadLineAsync(Canceled) ?? throw new InvalidOperationException("The server did not start.");
        using JsonDocument listening = JsonDocument.Parse(line);
        return (server, listening.RootElement.GetProperty("endPoint").GetString()!, listening.RootElement.GetProperty("key").GetString()!);
    }

    private async Task WaitForPartAsync(TempDirectory directory, Process client)
    {
        string state = directory.Combine("fetched/" + RelativePath.StateDirectory);
        while (!Directory.Exists(state) || !Directory.EnumerateFiles(state, "*.part").Any(part => new FileInfo(part).Length > 1_000_000))
        {
            Assert.IsFalse(client.HasExited, "The client ended before it could be killed.");
            await Task.Delay(2, Canceled);
        }
    }
}
