using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Post.Quic.Engine.Addressing;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>The frame of every event: its record, time, name and tuple, around the data that others write.</summary>
internal sealed class QlogEventWriter : IDisposable
{
    private const byte RecordSeparator = 0x1e;
    private const byte LineFeed = (byte)'\n';

    // The relaxed encoder escapes all that JSON demands; the rest would only matter inside HTML.
    public Utf8JsonWriter Json { get; } = new(
        new ArrayBufferWriter<byte>(),
        new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    /// <summary>Milliseconds since the log began, for the next event.</summary>
    public double Time { get; set; }

    /// <summary>The network that was seen first; negative before.</summary>
    public int FirstNetwork { get; private set; } = -1;

    public void Dispose() => Json.Dispose();

    public void Separate(IBufferWriter<byte> output)
    {
        output.Write([RecordSeparator]);
        Json.Reset(output);
    }

    public void Finish(IBufferWriter<byte> output)
    {
        Json.Flush();
        output.Write([LineFeed]);
    }

    /// <summary>Begins an event and its data.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="output">Where it goes.</param>
    /// <param name="network">The network that it is of; negative for none.</param>
    public void Begin(ReadOnlySpan<byte> name, IBufferWriter<byte> output, int network = -1)
    {
        Separate(output);
        Json.WriteStartObject();
        Json.WriteNumber("time"u8, Time);
        Json.WriteString("name"u8, name);
        if (network >= 0 && network != FirstNetwork)
        {
            // The first network is qlog's default tuple, the empty string: most connections never have another.
            Json.WriteString("tuple"u8, TupleId(network));
        }

        Json.WriteStartObject("data"u8);
    }

    public void End(IBufferWriter<byte> output)
    {
        Json.WriteEndObject();
        Json.WriteEndObject();
        Finish(output);
    }

    public void See(int network) => FirstNetwork = FirstNetwork < 0 ? network : FirstNetwork;

    public string TupleId(int network) => network == FirstNetwork ? string.Empty : network.ToString(CultureInfo.InvariantCulture);

    public void WriteEndPoint(ReadOnlySpan<byte> property, in NetworkAddress address)
    {
        Json.WriteStartObject(property);
        QlogParameters.WriteAddress(Json, address);
        Json.WriteEndObject();
    }

    public void WriteOld(ReadOnlySpan<byte> state)
    {
        if (!state.IsEmpty)
        {
            Json.WriteString("old"u8, state);
        }
    }

    /// <summary>
    /// qlog has no word for the paths of draft-ietf-quic-multipath yet (draft-ietf-quic-qlog-quic-events-14): this extends its data. Path 0
    /// goes without, as every path does without multipath.
    /// </summary>
    public void WritePathId(uint pathId)
    {
        if (pathId != 0)
        {
            Json.WriteNumber("path_id"u8, pathId);
        }
    }
}
