using System.Diagnostics;

namespace Post.Tests;

/// <summary>Runs the system's commands by which tests set up networks. A test is skipped where the machine lacks the command or the right.</summary>
internal static class SystemCommand
{
    /// <summary>Runs a command in the network namespace of the calling thread, and waits for its end.</summary>
    public static void Run(string command)
    {
        // A process starts in the namespace of the thread that starts it.
        string[] words = command.Split(' ');
        try
        {
            using var process = Process.Start(new ProcessStartInfo(words[0], words[1..]) { RedirectStandardError = true })!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                Assert.Inconclusive($"{command}: {error}");
            }
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            Assert.Inconclusive($"{command}: {error.Message}");
        }
    }
}
