using System.Diagnostics;
using System.Globalization;

namespace FileTransfer.Reporting;

/// <summary>Plain lines: for logs, pipes and dumb terminals.</summary>
internal class PlainReporter(TextWriter output, TextWriter error) : IReporter
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    public virtual void Note(string text) => error.WriteLine(Printable(text));

    public void Result(Summary summary)
    {
        foreach (var failed in summary.Failed)
        {
            error.WriteLine(Printable($"not transferred: {failed.Path}{(failed.Path.Length > 0 ? ": " : string.Empty)}{failed.Reason}"));
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"files: {summary.Files} complete, {summary.AlreadyThere} of them before; {summary.Failed.Count} failed"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Sizes.Format(summary.BytesMoved)} of {Sizes.Format(summary.Bytes)} moved in {summary.Seconds:0.00} s: {Sizes.Format(summary.BytesPerSecond)}/s"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"engine {summary.Engine}, round trip {(summary.RoundTripMilliseconds is { } rtt ? $"{rtt:0.00} ms" : "not measured")}, {summary.PathChanges} path changes"));
        foreach (var path in summary.Paths)
        {
            output.WriteLine($"path {path}");
        }

        if (summary.Verified is { } verified)
        {
            output.WriteLine($"{verified} hashes compared with the originals: all match");
        }
    }

    public void List(IEnumerable<Protocol.FileEntry> files)
    {
        foreach (var file in files)
        {
            var modified = DateTimeOffset.FromUnixTimeMilliseconds(file.Modified);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file.Size,14}  {modified:yyyy-MM-dd HH:mm:ss}  {file.Path}"));
        }
    }

    public void Listening(string endPoint, string key, string engine)
    {
        output.WriteLine($"listening on {endPoint} ({engine})");
        output.WriteLine($"key {key}");
        output.Flush();
    }

    public void Error(string text, ExitCode code) => error.WriteLine(Printable(text));

    public virtual async Task<T> TrackAsync<T>(string title, TransferProgress progress, Func<Task<T>> work)
    {
        var working = work();
        var watch = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(Interval);
        while (await Task.WhenAny(working, timer.WaitForNextTickAsync().AsTask()) != working)
        {
            var there = progress.Here + progress.Moved;
            error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{title}: {progress.FilesDone}/{progress.Files} files, {Sizes.Format(there)} of {Sizes.Format(progress.Total)}, {Sizes.Format(progress.Moved / watch.Elapsed.TotalSeconds)}/s"));
        }

        return await working;
    }

    // Names and reasons come from the network: nothing in them may steer the terminal.
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
