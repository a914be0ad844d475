using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Post.Quic.Benchmarks.Links;

/// <summary>
/// A network of its own that nothing else on the machine sees (Linux, as root). A socket belongs to the namespace of the thread
/// that opens it, so there is a thread that lives in here and opens them; any thread may use them afterwards.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed partial class NetworkNamespace : IDisposable
{
    private const int CloneNewNet = 0x40000000;

    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    public NetworkNamespace()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _thread = new Thread(() => Live(entered)) { IsBackground = true, Name = "network namespace" };
        _thread.Start();
        entered.Task.GetAwaiter().GetResult();
    }

    /// <summary>Runs something in here.</summary>
    public T Run<T>(Func<T> inside)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(inside());
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        });
        return done.Task.GetAwaiter().GetResult();
    }

    /// <summary>Runs a command in here.</summary>
    /// <exception cref="NotMeasuredException">It is missing, or failed.</exception>
    public void Execute(string program, params string[] arguments) => Run(() =>
    {
        try
        {
            // A process starts in the namespace of the thread that starts it.
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            string error = process.StandardError.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0
                ? process.ExitCode
                : throw new NotMeasuredException($"'{program} {string.Join(' ', arguments)}' failed: {error}");
        }
        catch (Win32Exception exception)
        {
            throw new NotMeasuredException($"'{program}' cannot be run: {exception.Message}");
        }
    });

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }

    private void Live(TaskCompletionSource entered)
    {
        if (Unshare(CloneNewNet) != 0)
        {
            entered.SetException(new NotMeasuredException("this machine permits no network namespaces."));
            return;
        }

        entered.SetResult();
        foreach (Action action in _work.GetConsumingEnumerable())
        {
            action();
        }
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);
}
