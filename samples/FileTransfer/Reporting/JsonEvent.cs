using System.Text.Json.Serialization;

namespace FileTransfer.Reporting;

/// <summary>A line of <see cref="JsonReporter"/>.</summary>
/// <param name="Event">note, log, result, file, planned, failed, listening, error or progress.</param>
internal sealed record JsonEvent(string Event)
{
    public DateTimeOffset? Time { get; init; }

    public string? Text { get; init; }

    public string? Path { get; init; }

    public int? Code { get; init; }

    public string? EndPoint { get; init; }

    public IReadOnlyList<string>? EndPoints { get; init; }

    public string? Key { get; init; }

    public string? Ticket { get; init; }

    public string? Engine { get; init; }

    public long? Files { get; init; }

    public long? FilesTotal { get; init; }

    public long? Total { get; init; }

    public long? There { get; init; }

    public JsonFile? File { get; init; }

    public Summary? Summary { get; init; }
}

/// <summary>The lines as JSON, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JsonEvent))]
internal sealed partial class ReportJson : JsonSerializerContext;
