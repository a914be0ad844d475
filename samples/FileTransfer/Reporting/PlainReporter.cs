using System.Globalization;
using FileTransfer.Protocol;
using FileTransfer.Storage.Directories;

namespace FileTransfer.Reporting;

/// <summary>Plain lines: for logs, pipes and dumb terminals.</summary>
internal class PlainReporter(TextWriter output, TextWriter error, Verbosity verbosity) : IReporter
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();

    protected bool IsQuiet => verbosity == Verbosity.Quiet;

    public virtual void Note(string text)
    {
        if (!IsQuiet)
        {
            WriteError(text);
        }
    }

    public void Detail(string text)
    {
        if (verbosity == Verbosity.Detailed)
        {
            Note(text);
        }
    }

    public void Log(string text)
    {
        if (!IsQuiet)
        {
            WriteError($"{new FileTime(DateTimeOffset.UtcNow.ToUnixTimeSeconds(), 0)} {text}");
        }
    }

    public void Result(Summary summary)
    {
        foreach (var failed in summary.Failed)
        {
            Failure(failed);
        }

        if (summary.Stopped is { } stopped)
        {
            WriteError($"stopped: {stopped}");
        }

        if (IsQuiet)
        {
            return;
        }

        var lines = new List<string>
        {
            string.Create(
                CultureInfo.InvariantCulture,
                $"files: {summary.Files} complete, {summary.AlreadyThere} of them before; {summary.Failed.Count} failed"),
            string.Create(
                CultureInfo.InvariantCulture,
                $"{ByteSizes.Format(summary.BytesMoved)} of {ByteSizes.Format(summary.Bytes)} moved in {summary.Seconds:0.00} s: {ByteSizes.Format(summary.BytesPerSecond)}/s"),
        };
        if (verbosity == Verbosity.Detailed)
        {
            lines.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"engine {summary.Engine}, round trip {(summary.RoundTripMilliseconds is { } rtt ? $"{rtt:0.00} ms" : "not measured")}, {summary.PathChanges} path changes"));
            lines.AddRange(summary.Paths.Select(path => $"path {path}"));
        }

        if (summary.Verified is { } verified)
        {
            lines.Add($"{verified} files compared with the originals: every hash matches");
        }

        Write(lines);
    }

    public void List(IEnumerable<FileEntry> entries) => Write(entries.Select(Describe));

    public void Planned(FileEntry entry) => Write([$"would transfer {Printable(entry.Path)}"]);

    public void Failure(FailedFile failed) => WriteError($"not transferred: {failed.Path}: {failed.Reason}");

    public void Listening(ServerFacts server)
    {
        var lines = new List<string> { $"listening on {server.EndPoints[0]} ({server.Engine})", $"key {server.Key}", $"ticket {server.Ticket}" };
        lines.AddRange(server.EndPoints.Skip(1).Select(endPoint => $"also on {endPoint}"));
        lines.Add($"on the other side:  post-file get {server.Ticket}");
        if (server.IsWritable)
        {
            lines.Add($"               or:  post-file put FILES --to {server.Ticket}");
        }

        Write(lines);
    }

    public void Error(string text, ExitCode code) => WriteError(text);

    public virtual async Task<T> TrackAsync<T>(string title, TransferProgress progress, Func<Task<T>> work)
    {
        var working = work();
        if (IsQuiet)
        {
            return await working;
        }

        var activity = new Activity(progress);
        activity.Describe();
        using var timer = new PeriodicTimer(Interval);
        while (await Task.WhenAny(working, timer.WaitForNextTickAsync().AsTask()) != working)
        {
            WriteError(string.Create(
                CultureInfo.InvariantCulture,
                $"{title}: {progress.FilesDone}/{progress.Files} files, {ByteSizes.Format(progress.There)} of {ByteSizes.Format(progress.Total)}, {activity.Describe()}"));
        }

        return await working;
    }

    // Names and reasons come from the network: nothing in them may steer the terminal.
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));

    private static string Describe(FileEntry entry) => Printable(string.Create(
        CultureInfo.InvariantCulture,
        $"{(entry.Kind == FileKind.File ? entry.Size.ToString(CultureInfo.InvariantCulture) : "-"),14}  {entry.Modified,-20}  {NameOf(entry)}"));

    private static string NameOf(FileEntry entry) => entry.Kind switch
    {
        FileKind.Directory => entry.Path + "/",
        FileKind.Link => $"{entry.Path} -> {entry.Target}",
        _ => entry.Path,
    };

    private void Write(IEnumerable<string> lines)
    {
        lock (_gate)
        {
            foreach (var line in lines)
            {
                output.WriteLine(line);
            }

            output.Flush();
        }
    }

    private void WriteError(string text)
    {
        lock (_gate)
        {
            error.WriteLine(Printable(text));
            error.Flush();
        }
    }
}
