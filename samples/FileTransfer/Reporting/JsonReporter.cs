using System.Text.Json;
using System.Text.Json.Serialization;

namespace FileTransfer.Reporting;

/// <summary>One JSON object a line on standard output: for programs.</summary>
internal sealed class JsonReporter(TextWriter output) : IReporter
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private readonly Lock _gate = new();

    public void Note(string text) => Write(new JsonEvent("note") { Text = text });

    public void Result(Summary summary) => Write(new JsonEvent("result") { Summary = summary });

    public void List(IEnumerable<Protocol.FileEntry> files)
    {
        foreach (var file in files)
        {
            Write(new JsonEvent("file") { File = file });
        }
    }

    public void Listening(string endPoint, string key, string engine) =>
        Write(new JsonEvent("listening") { EndPoint = endPoint, Key = key, Engine = engine });

    public void Error(string text, ExitCode code) => Write(new JsonEvent("error") { Text = text, Code = (int)code });

    public async Task<T> TrackAsync<T>(string title, TransferProgress progress, Func<Task<T>> work)
    {
        var working = work();
        using var timer = new PeriodicTimer(Interval);
        while (await Task.WhenAny(working, timer.WaitForNextTickAsync().AsTask()) != working)
        {
            Write(new JsonEvent("progress")
            {
                Text = title,
                Files = progress.FilesDone,
                Total = progress.Total,
                There = progress.Here + progress.Moved,
            });
        }

        return await working;
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

/// <summary>A line of <see cref="JsonReporter"/>.</summary>
/// <param name="Event">note, result, file, listening, error or progress.</param>
internal sealed record JsonEvent(string Event)
{
    public string? Text { get; init; }

    public int? Code { get; init; }

    public string? EndPoint { get; init; }

    public string? Key { get; init; }

    public string? Engine { get; init; }

    public long? Files { get; init; }

    public long? Total { get; init; }

    public long? There { get; init; }

    public Protocol.FileEntry? File { get; init; }

    public Summary? Summary { get; init; }
}

/// <summary>The lines as JSON, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JsonEvent))]
internal sealed partial class ReportJson : JsonSerializerContext;
