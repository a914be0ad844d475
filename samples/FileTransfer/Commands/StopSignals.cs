using System.Runtime.InteropServices;

namespace FileTransfer.Commands;

/// <summary>
/// What tells the program to stop: the keyboard, whoever ends it in order, a terminal that goes away. The first time it ends what it does, and
/// tells the other side; the second time, or when that takes too long, it ends as it is.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(4);

    private readonly CancellationTokenSource _stopping = new();
    private readonly List<PosixSignalRegistration> _registrations;
    private Timer? _last;
    private int _code;

    public StopSignals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, ExitCode.Canceled)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, ExitCode.Terminated)),
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Stop(context, ExitCode.HungUp)),
    ];

    public CancellationToken Stopping => _stopping.Token;

    /// <summary>The program's exit code: that of the signal, for a command that did not get to its end.</summary>
    public int CodeOf(int code) => code == (int)ExitCode.Canceled && _code != 0 ? _code : code;

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _last?.Dispose();
        _stopping.Dispose();
    }

    private void Stop(PosixSignalContext context, ExitCode code)
    {
        context.Cancel = true;
        if (Interlocked.CompareExchange(ref _code, (int)code, 0) != 0)
        {
            Environment.Exit(_code);
        }

        _last = new Timer(_ => Environment.Exit(_code), null, Grace, Timeout.InfiniteTimeSpan);
        _ = _stopping.CancelAsync();
    }
}
