using System.Diagnostics;
using System.Globalization;
using FileTransfer.Client;
using FileTransfer.Reporting;
using Post.Sockets;

namespace FileTransfer.Commands;

/// <summary>Runs one transfer with its progress shown, and sums it up.</summary>
internal static class Transfers
{
    public static async Task<Summary> RunAsync(
        string command,
        IReporter reporter,
        Association association,
        TransferProgress progress,
        Func<Task<TransferResult>> work)
    {
        var changes = 0;
        using var registration = association.Register<PathsChanged>(changed =>
        {
            // That a path's measurements changed is for those who watch them.
            if (changed.Change < PostPathChange.StateChanged)
            {
                Interlocked.Increment(ref changes);
            }
            else if (changed.Change > PostPathChange.StateChanged)
            {
                return;
            }

            var text = $"path {changed.Path.Id} ({changed.Path.InterfaceName ?? "unknown interface"}, {changed.Path.LocalEndPoint}): {changed.Change}, {changed.Path.State}";
            if (changed.Path.State is PostPathState.Suspect or PostPathState.Failed or PostPathState.Removed || changed.Change == PostPathChange.Migrated)
            {
                reporter.Note(text);
            }
            else
            {
                reporter.Detail(text);
            }
        });
        var watch = Stopwatch.StartNew();
        var result = await reporter.TrackAsync(command, progress, work);
        return new Summary
        {
            Command = command,
            Files = progress.FilesDone,
            AlreadyThere = progress.FilesHere,
            Bytes = progress.Total,
            BytesMoved = progress.MovedInAll,
            Seconds = watch.Elapsed.TotalSeconds,
            Engine = association.TransportName,
            RoundTripMilliseconds = association.Statistics.SmoothedRtt?.TotalMilliseconds,
            Paths = [.. association.Paths.Select(Describe)],
            PathChanges = Volatile.Read(ref changes),
            Failed = result.Failed,
            Stopped = result.Stopped,
        };
    }

    /// <summary>The program's exit code.</summary>
    /// <param name="summary">What the transfer came to.</param>
    /// <param name="isPut">Whether the disk that may be full is the other side's.</param>
    public static ExitCode Code(this Summary summary, bool isPut) =>
        summary.Stopped is not null && !isPut ? ExitCode.LocalProblem
        : summary.Stopped is not null || summary.Failed.Count > 0 ? ExitCode.Incomplete
        : ExitCode.Done;

    private static string Describe(PostPath path) => string.Create(
        CultureInfo.InvariantCulture,
        $"{path.Id}: {path.LocalEndPoint}{(path.InterfaceName is { } name ? $" ({name})" : string.Empty)} -> {path.RemoteEndPoint}, {path.State}{(path.SmoothedRtt is { } rtt ? $", round trip {rtt.TotalMilliseconds:0.00} ms" : string.Empty)}");
}
