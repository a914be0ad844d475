using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Post.Tests;

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
                    SystemCommand.Run(command);
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

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);
}
