using System.Text.Json;
using FileTransfer.Storage;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>The program as its callers see it: exit codes, signals, output.</summary>
[TestClass]
[OSCondition(ConditionMode.Exclude, OperatingSystems.Windows)]
public sealed class ProgramTests
{
    private const int TimeoutMilliseconds = 120_000;

    public required TestContext TestContext { get; init; }

    private CancellationToken Canceled => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(2, "get")]
    [DataRow(2, "ls", "--nonsense", "host")]
    [DataRow(2, "demo", "--size", "0")]
    [DataRow(2, "get", "host:0")]
    [DataRow(2, "get", "localhost", "--known-keys", "/nonexistent/keys")]
    [DataRow(6, "put", "/nonexistent/file", "--to", "localhost")]
    public async Task Every_error_is_an_object_for_programs(int code, params string[] arguments)
    {
        using PostFile run = PostFile.Start([.. arguments, "--json"]);

        string output = await run.Process.StandardOutput.ReadToEndAsync(Canceled);

        Assert.AreEqual(code, await run.ExitAsync(Canceled), output);
        foreach (string line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument told = JsonDocument.Parse(line);
            Assert.AreEqual("error", told.RootElement.GetProperty("event").GetString());
            Assert.AreEqual(code, told.RootElement.GetProperty("code").GetInt32());
        }

        Assert.AreNotEqual(string.Empty, output);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_server_prints_the_command_for_the_other_side_and_a_wrong_key_is_told_with_the_one_that_came()
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/file", 3, seed: 1);
        using PostFile server = PostFile.Start(
            "serve", directory.Combine("served"), "--listen", "0", "--identity", directory.Combine("keys/identity.pfx"));
        var lines = new List<string>();
        while (lines.Count == 0 || !lines[^1].StartsWith("on the other side", StringComparison.Ordinal))
        {
            lines.Add(await server.Process.StandardOutput.ReadLineAsync(Canceled) ?? throw new InvalidOperationException(string.Join('\n', lines)));
        }

        string[] command = lines[^1][lines[^1].IndexOf("post-file ", StringComparison.Ordinal)..].Split(' ');
        string key = lines.Single(line => line.StartsWith("key ", StringComparison.Ordinal))[4..];
        Assert.IsFalse(lines.Any(line => line.Contains("[::]", StringComparison.Ordinal) || line.Contains("0.0.0.0", StringComparison.Ordinal)));

        using PostFile copied = PostFile.Start([.. command[1..], "--out", directory.Combine("fetched")]);
        Assert.AreEqual(0, await copied.ExitAsync(Canceled));
        Assert.IsTrue(File.Exists(directory.Combine("fetched/file")));

        string address = lines.Single(line => line.StartsWith("listening on ", StringComparison.Ordinal)).Split(' ')[2];
        using PostFile refused = PostFile.Start("ls", address, "--key", "sha256:" + new string('0', 64));
        string error = await refused.Process.StandardError.ReadToEndAsync(Canceled);
        Assert.AreEqual(3, await refused.ExitAsync(Canceled), error);
        StringAssert.Contains(error, key);

        // A ticket that was not copied whole, and one with the key said twice.
        foreach (string[] wrong in new string[][] { [command[2][..^3]], [command[2], "--key", key] })
        {
            using PostFile unread = PostFile.Start(["ls", .. wrong]);
            error = await unread.Process.StandardError.ReadToEndAsync(Canceled);
            Assert.AreEqual(2, await unread.ExitAsync(Canceled), error);
            StringAssert.Contains(error, "ticket");
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow("TERM", 143)]
    [DataRow("INT", 130)]
    [DataRow("HUP", 129)]
    public async Task A_signal_ends_a_transfer_with_its_own_code_and_a_server_in_order(string signal, int code)
    {
        using var directory = new TempDirectory();
        directory.WriteRandom("served/large", 30_000_000, seed: 1);
        using PostFile server = PostFile.Serve(directory, out Task<(string EndPoint, string Key)> listening);
        (string endPoint, string key) = await listening;
        using PostFile client = PostFile.Start(
            "get", endPoint, "--key", key, "--out", directory.Combine("fetched"), "--limit", "1M", "--json");
        while (!File.Exists(directory.Combine("fetched/" + RelativePath.StateDirectory)) && !client.Process.HasExited
            && !Directory.Exists(directory.Combine("fetched/" + RelativePath.StateDirectory)))
        {
            await Task.Delay(20, Canceled);
        }

        Shell.Run("kill -$1 $2", signal, $"{client.Process.Id}");
        Assert.AreEqual(code, await client.ExitAsync(Canceled));
        Shell.Run("kill -$1 $2", signal, $"{server.Process.Id}");
        Assert.AreEqual(0, await server.ExitAsync(Canceled));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [OSCondition(OperatingSystems.Linux)]
    [DataRow("ls")]
    [DataRow("cat -f")]
    public async Task A_program_whose_reader_goes_ends(string command)
    {
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.WriteRandom("served/log", 0, seed: 1), "one line\n", Canceled);
        for (int number = 0; number < 3000; number++)
        {
            directory.WriteRandom($"served/f{number}", 0, seed: number);
        }

        using PostFile server = PostFile.Serve(directory, out Task<(string EndPoint, string Key)> listening);
        (string endPoint, string key) = await listening;
        using PostFile client = PostFile.Start(
            command == "ls" ? ["ls", endPoint, "--key", key] : ["cat", "-f", endPoint, "log", "--key", key]);

        await client.Process.StandardOutput.ReadLineAsync(Canceled);
        client.Process.StandardOutput.Close();

        int code = await client.ExitAsync(Canceled);
        Assert.IsTrue(code == 141 || (command == "ls" && code == 0), $"{code}");
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task What_was_put_before_the_client_was_killed_does_not_move_again_and_the_next_run_begins_at_once()
    {
        const int Size = 60_000_000;
        using var directory = new TempDirectory();
        string large = directory.WriteRandom("large", Size, seed: 1);
        using PostFile server = PostFile.Serve(directory, out Task<(string EndPoint, string Key)> listening, "--writable");
        (string endPoint, string key) = await listening;
        long kept = 0;
        using (PostFile first = PostFile.Start("put", large, "--to", endPoint, "--key", key, "--limit", "20M", "--json"))
        {
            string state = directory.Combine("served/" + RelativePath.StateDirectory);
            while (kept < Size / 2)
            {
                Assert.IsFalse(first.Process.HasExited, "The client ended before it could be killed.");
                await Task.Delay(5, Canceled);
                kept = Directory.EnumerateFiles(state, "*.part").Sum(part => new FileInfo(part).Length);
            }

            first.Process.Kill();
            await first.ExitAsync(Canceled);
        }

        using PostFile second = PostFile.Start("put", large, "--to", endPoint, "--key", key, "--json");
        string output = await second.Process.StandardOutput.ReadToEndAsync(Canceled);

        Assert.AreEqual(0, await second.ExitAsync(Canceled), output);
        string result = output.Split('\n').Single(line => line.Contains("\"result\"", StringComparison.Ordinal));
        using JsonDocument told = JsonDocument.Parse(result);
        Assert.IsLessThanOrEqualTo(Size - kept, told.RootElement.GetProperty("summary").GetProperty("bytesMoved").GetInt64());
        CollectionAssert.AreEqual(
            await File.ReadAllBytesAsync(large, Canceled), await File.ReadAllBytesAsync(directory.Combine("served/large"), Canceled));
    }
}
