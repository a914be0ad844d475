using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Post.Quic.Engine.Tests.Udp;

/// <summary>
/// A network namespace of a test's own, with nothing but a loopback interface: its MTU and its speed can be anything.
/// It goes with its thread.
/// </summary>
internal static partial class PrivateNetwork
{
    private const int CloneNewNetwork = 0x40000000;

    /// <summary>Runs the test on a thread inside of the namespace, after the commands. Skipped where that is not permitted.</summary>
    public static void Run(string[] commands, Action test)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Assert.Inconclusive("A network namespace needs Linux and root.");
        }

        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (Unshare(CloneNewNetwork) != 0)
                {
                    Assert.Inconclusive("This machine permits no network namespaces.");
                }

                foreach (string command in commands)
                {
                    Execute(command);
                }

                test();
            }
            catch (Exception error)
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    /// <summary>Runs a command in the namespace of the calling thread.</summary>
    public static void Execute(string command)
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

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);
}
