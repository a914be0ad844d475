using System.Diagnostics;
using System.Globalization;
using FileTransfer.Fetching;
using FileTransfer.Receiving;
using FileTransfer.Reporting;
using FileTransfer.Storage;
using Post.Sockets;

namespace FileTransfer.Commands;

/// <summary>Runs one transfer with its progress shown, and sums it up.</summary>
internal static class Transfers
{
    /// <summary>Fetches.</summary>
    public static Task<Summary> GetAsync(
        string command,
        IReporter reporter,
        FileClient client,
        IReadOnlyList<string> paths,
        DestinationTree destination,
        TransferProgress progress,
        CancellationToken cancellationToken) =>
        RunAsync(command, reporter, client.Association, progress, () => client.GetAsync(paths, destination, progress, cancellationToken));

    /// <summary>Puts local files and directories, each under its own name.</summary>
    public static Task<Summary> PutAsync(
        IReporter reporter,
        FileClient client,
        IReadOnlyList<string> paths,
        TransferProgress progress,
        CancellationToken cancellationToken) =>
        RunAsync("put", reporter, client.Association, progress, async () =>
        {
            var failed = new List<FailedFile>();
            foreach (var path in paths)
            {
                var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
                if (!Path.Exists(full) || Path.GetDirectoryName(full) is not { } parent)
                {
                    throw new TransferException(ExitCode.LocalProblem, $"There is no '{path}'.");
                }

                failed.AddRange(await client.PutAsync(new SourceTree(parent), [Path.GetFileName(full)], progress, cancellationToken));
            }

            return failed;
        });

    private static async Task<Summary> RunAsync(
        string command,
        IReporter reporter,
        Association association,
        TransferProgress progress,
        Func<Task<IReadOnlyList<FailedFile>>> work)
    {
        var changes = 0;
        using var registration = association.Register<PathsChanged>(changed =>
        {
            // That a path's measurements changed is for those who watch them.
            if (changed.Change != PathChange.StateChanged)
            {
                Interlocked.Increment(ref changes);
                reporter.Note($"path {changed.Path.Id}: {changed.Change}");
            }
        });
        var watch = Stopwatch.StartNew();
        var failed = await reporter.TrackAsync(command, progress, work);
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
            Failed = failed,
        };
    }

    private static string Describe(PostPath path) => string.Create(
        CultureInfo.InvariantCulture,
        $"{path.Id}: {path.LocalEndPoint} -> {path.RemoteEndPoint}, {path.State}{(path.SmoothedRtt is { } rtt ? $", round trip {rtt.TotalMilliseconds:0.00} ms" : string.Empty)}");
}
