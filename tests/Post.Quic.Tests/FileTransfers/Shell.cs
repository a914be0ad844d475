using System.Diagnostics;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>Runs the system's own tools, for files that .NET cannot make.</summary>
internal static class Shell
{
    /// <summary>Runs a script with its arguments as $1, $2 and so on; false when it fails.</summary>
    public static bool TryRun(string script, params IEnumerable<string> arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo("/bin/sh", ["-c", script, "sh", .. arguments]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    /// <summary>Runs a script that the test cannot do without.</summary>
    public static void Run(string script, params IEnumerable<string> arguments)
    {
        if (!TryRun(script, arguments))
        {
            Assert.Inconclusive($"This machine cannot do '{script}': it needs the tool, or more rights.");
        }
    }
}
