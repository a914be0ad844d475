using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Post.Quic.Interop.Tests.Foreign;

/// <summary>Which foreign programs this machine has; the one place that decides that a test is skipped for want of one.</summary>
internal static class Peers
{
    /// <summary>Debian's quic-go, as source.</summary>
    private const string QuicGoSource = "/usr/share/gocode/src/github.com/lucas-clemente/quic-go";

    private static readonly Lazy<Task<string>> BuiltQuicGo = new(BuildQuicGoAsync);

    /// <summary>The path of a program; the test is skipped, and says so by the program's name, where it is absent.</summary>
    public static string Require(string program)
    {
        string? path = Find(program);
        if (path is null)
        {
            Assert.Inconclusive($"{program} is not installed; ./test.sh --peers installs it.");
        }

        return path;
    }

    /// <summary>The path of our quic-go program, built on its first use.</summary>
    public static Task<string> RequireQuicGoAsync()
    {
        Require("go");
        if (!Directory.Exists(QuicGoSource))
        {
            Assert.Inconclusive($"quic-go is not installed in {QuicGoSource}; ./test.sh --peers installs it.");
        }

        return BuiltQuicGo.Value;
    }

    /// <summary>Our program around iroh's package for Node.js, to be run by <see cref="Require"/>("node").</summary>
    public static string RequireIroh()
    {
        string directory = Path.GetFullPath(Path.Combine(TestFiles.SourceDirectory(), "..", "peers", "iroh"));
        if (!Directory.Exists(Path.Combine(directory, "node_modules", "@number0", "iroh")))
        {
            Assert.Inconclusive("@number0/iroh is not installed in tests/peers/iroh; ./test.sh --peers installs it.");
        }

        return Path.Combine(directory, "peer.mjs");
    }

    /// <summary>For programs that cannot choose a port by themselves.</summary>
    public static IPEndPoint FreeEndPoint(IPAddress address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    private static string? Find(string program)
    {
        foreach (string directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            string path = Path.Combine(directory, program);
            if (directory.Length > 0 && File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }

    private static async Task<string> BuildQuicGoAsync()
    {
        string program = Path.Combine(TestFiles.Directory, "quicgo");
        var start = new ProcessStartInfo(Require("go"), ["build", "-o", program, "."])
        {
            WorkingDirectory = Path.Combine(TestFiles.SourceDirectory(), "..", "peers", "quicgo"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["GO111MODULE"] = "off",
                ["GOPATH"] = "/usr/share/gocode",
                ["CGO_ENABLED"] = "0",
                ["GOFLAGS"] = "",
            },
        };
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")))
        {
            start.Environment["GOCACHE"] = Path.Combine(TestFiles.Directory, "go-cache");
        }

        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.AreEqual(0, process.ExitCode, $"go build of tests/peers/quicgo: {output}{await errors}");
        return program;
    }
}
