using System.Globalization;
using System.Text.Json;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>Writes the first record of a log: the QlogFileSeq object (draft-ietf-quic-qlog-main-schema section 4).</summary>
internal static class QlogHeader
{
    // draft-ietf-quic-qlog-quic-events section 2.1: a draft's number belongs into the URI until there is an RFC.
    private const string QuicSchema = "urn:ietf:params:qlog:events:quic-13";
    private const string LogLevelSchema = "urn:ietf:params:qlog:events:loglevel";

    public static void Write(
        Utf8JsonWriter json, QuicTraceOptions options, in QlogConnection connection, DateTimeOffset wallClock)
    {
        json.WriteStartObject();

        // These two first: the file is recognised by its first 256 bytes.
        json.WriteString("file_schema"u8, "urn:ietf:params:qlog:file:sequential"u8);
        json.WriteString("serialization_format"u8, "application/qlog+json-seq"u8);
        json.WriteString("title"u8, options.Title ?? "Post.Quic.Engine");
        if (options.Description is { } description)
        {
            json.WriteString("description"u8, description);
        }

        json.WriteStartObject("trace"u8);
        json.WriteStartObject("common_fields"u8);
        json.WriteString("group_id"u8, connection.OriginalDestination.ToString());
        json.WriteString("time_format"u8, "relative_to_epoch"u8);
        json.WriteStartObject("reference_time"u8);
        json.WriteString("clock_type"u8, "monotonic"u8);
        json.WriteString("epoch"u8, "unknown"u8);
        json.WriteString(
            "wall_clock_time"u8, wallClock.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("vantage_point"u8);
        if (options.VantagePointName is { } name)
        {
            json.WriteString("name"u8, name);
        }

        json.WriteString("type"u8, connection.IsServer ? "server"u8 : "client"u8);
        json.WriteEndObject();
        json.WriteStartArray("event_schemas"u8);
        json.WriteStringValue(QuicSchema);
        json.WriteStringValue(LogLevelSchema);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
