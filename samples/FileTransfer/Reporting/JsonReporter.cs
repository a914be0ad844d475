using System.Text.Json;
using FileTransfer.Protocol;

namespace FileTransfer.Reporting;

/// <summary>One JSON object a line on standard output: for programs.</summary>
internal sealed class JsonReporter(TextWriter output, Verbosity verbosity) : IReporter
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private readonly Lock _gate = new();

    public void Note(string text) => WriteUnlessQuiet(new JsonEvent("note") { Text = text });

    public void Detail(string text)
    {
        if (verbosity == Verbosity.Detailed)
        {
            Note(text);
        }
    }

    public void Log(string text) =>
        WriteUnlessQuiet(new JsonEvent("log") { Time = DateTimeOffset.UtcNow, Text = text });

    public void Result(Summary summary) => Write(new JsonEvent("result") { Summary = summary });

    public void List(IEnumerable<FileEntry> entries)
    {
        lock (_gate)
        {
            foreach (var entry in entries)
            {
                output.WriteLine(JsonSerializer.Serialize(new JsonEvent("file") { File = JsonFile.Of(entry) }, ReportJson.Default.JsonEvent));
            }

            output.Flush();
        }
    }

    public void Planned(FileEntry entry) => Write(new JsonEvent("planned") { File = JsonFile.Of(entry) });

    public void Failure(FailedFile failed) => Write(new JsonEvent("failed") { Path = failed.Path, Text = failed.Reason });

    public void Listening(ServerFacts server) => Write(new JsonEvent("listening")
    {
        EndPoint = server.EndPoints[0],
        EndPoints = server.EndPoints,
        Ticket = server.Ticket,
        Key = server.Key,
        Engine = server.Engine,
    });

    public void Error(string text, ExitCode code) => Write(new JsonEvent("error") { Text = text, Code = (int)code });

    public async Task<T> TrackAsync<T>(string title, TransferProgress progress, Func<Task<T>> work)
    {
        var working = work();
        var activity = new Activity(progress);
        using var timer = new PeriodicTimer(Interval);
        while (await Task.WhenAny(working, timer.WaitForNextTickAsync().AsTask()) != working)
        {
            WriteUnlessQuiet(new JsonEvent("progress")
            {
                Text = $"{title}: {activity.Describe()}",
                Files = progress.FilesDone,
                FilesTotal = progress.Files,
                Total = progress.Total,
                There = progress.There,
            });
        }

        return await working;
    }

    private void WriteUnlessQuiet(JsonEvent what)
    {
        if (verbosity != Verbosity.Quiet)
        {
            Write(what);
        }
    }

    private void Write(JsonEvent what)
    {
        lock (_gate)
        {
            output.WriteLine(JsonSerializer.Serialize(what, ReportJson.Default.JsonEvent));
            output.Flush();
        }
    }
}
