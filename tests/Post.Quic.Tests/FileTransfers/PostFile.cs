using System.Diagnostics;
using System.Text.Json;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>The program in a process of its own, with a home directory of its own.</summary>
internal sealed class PostFile : IDisposable
{
    private static readonly string Home = Directory.CreateTempSubdirectory("post-file-home-").FullName;

    private PostFile(Process process) => Process = process;

    public Process Process { get; }

    public static PostFile Start(params IEnumerable<string> arguments) => new(Process.Start(
        new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "post-file.dll"), .. arguments, "--engine", "Managed"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["HOME"] = Home, ["XDG_CONFIG_HOME"] = Path.Combine(Home, ".config"), ["DOTNET_TieredPGO"] = "0" },
        })!);

    /// <summary>Serves the directory "served"; the task gives where, and the key.</summary>
    public static PostFile Serve(TempDirectory directory, out Task<(string EndPoint, string Key)> listening, params IEnumerable<string> more)
    {
        Directory.CreateDirectory(directory.Combine("served"));
        PostFile server = Start(
            [
                "serve", directory.Combine("served"), "--listen", "127.0.0.1:0",
                "--identity", directory.Combine("keys/identity.pfx"), "--json", .. more,
            ]);
        server.Process.BeginErrorReadLine();
        listening = ListenAsync(server.Process);
        return server;
    }

    public async Task<int> ExitAsync(CancellationToken cancellationToken)
    {
        await Process.WaitForExitAsync(cancellationToken);
        return Process.ExitCode;
    }

    public void Dispose()
    {
        if (!Process.HasExited)
        {
            Process.Kill();
        }

        Process.Dispose();
    }

    private static async Task<(string EndPoint, string Key)> ListenAsync(Process server)
    {
        string line = await server.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The server did not start.");
        using JsonDocument listening = JsonDocument.Parse(line);
        return (listening.RootElement.GetProperty("endPoint").GetString()!, listening.RootElement.GetProperty("key").GetString()!);
    }
}
