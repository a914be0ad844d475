using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Post.Sockets.Protocol;

namespace Post.Sockets.Tests.Protocol;

/// <summary>One <c>post1</c> block of docs/protocol.md, with both ways between its fields and its bytes.</summary>
internal sealed partial class DocumentExample
{
    private readonly List<(string Key, string Value)> _fields = [];

    private DocumentExample(string kind, int line)
    {
        Kind = kind;
        Line = line;
    }

    public string Kind { get; }

    public int Line { get; }

    public byte[] Bytes { get; private set; } = [];

    /// <summary>The fields as they stand in the text.</summary>
    public string Fields => string.Join('\n', _fields.Select(one => $"{one.Key} {one.Value}".TrimEnd()));

    public static IReadOnlyList<DocumentExample> ReadAll(string[] lines)
    {
        var examples = new List<DocumentExample>();
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i] != "```post1")
            {
                continue;
            }

            var example = new DocumentExample(lines[i + 1], i + 1);
            for (i += 2; lines[i] != "```"; i++)
            {
                string[] parts = lines[i].Split(' ', 2);
                if (parts[0] == "hex")
                {
                    example.Bytes = FromHex(parts[1]);
                }
                else
                {
                    example._fields.Add((parts[0], parts.Length > 1 ? parts[1] : ""));
                }
            }

            examples.Add(example);
        }

        return examples;
    }

    /// <summary>What our code writes for these fields.</summary>
    public byte[] Serialise()
    {
        byte[] buffer = new byte[ProtocolLimits.MaxFrameLength + ProtocolLimits.MaxObjectHeader];
        int written = Kind switch
        {
            "integer" => PostInteger.Write(buffer, Number("value")),
            "hello" => Hello().Write(buffer),
            "receipt" => IdListFrame.WriteReceipt(buffer, Named<ReceiptStatus>("status"), Ids()),
            "abandon" => IdListFrame.WriteAbandon(buffer, Named<AbandonReason>("reason"), Ids()),
            "clock" => new ClockFrame(Number("shown")).Write(buffer),
            "goaway" => new GoAwayFrame(Number("first-unserved"), Named<PostErrorCode>("reason")).Write(buffer),
            "start-at" => new StartAtFrame(Number("id"), Number("offset")).Write(buffer),
            "object" => WriteObject(buffer),
            "stream" => new StreamHeader(Number("niceness"), Number("bandwidth", 0)).Write(buffer),
            _ => throw new InvalidDataException($"docs/protocol.md:{Line}: no such kind of example: {Kind}"),
        };
        return buffer[..written];
    }

    /// <summary>What our code reads out of these bytes, in the words of the document.</summary>
    public string Parse() => Kind switch
    {
        "integer" => PostInteger.TryRead(Bytes, out long value, out int consumed) && consumed == Bytes.Length
            ? $"value {value}" : "malformed",
        "object" => ParseObject(),
        "malformed object" => ParseMalformedObject(),
        "stream" => ParseStream(),
        _ => ParseFrame(),
    };

    private static string ParseFrameOf(ControlFrame frame)
    {
        var text = new StringBuilder();
        switch (frame.Type)
        {
            case ControlFrameType.Hello when HelloFrame.TryParse(frame.Payload, out HelloFrame hello):
                Describe(text, hello);
                break;
            case ControlFrameType.Receipt when IdListFrame.TryParseReceipt(frame.Payload, out ReceiptStatus status, out IdRangeList ids):
                text.Append(CultureInfo.InvariantCulture, $"status {Snake(status)}\nids{Describe(ids)}\n");
                break;
            case ControlFrameType.Abandon when IdListFrame.TryParseAbandon(frame.Payload, out AbandonReason why, out IdRangeList ids):
                text.Append(CultureInfo.InvariantCulture, $"reason {Snake(why)}\nids{Describe(ids)}\n");
                break;
            case ControlFrameType.Clock when ClockFrame.TryParse(frame.Payload, out ClockFrame clock):
                text.Append(CultureInfo.InvariantCulture, $"shown {clock.Shown}\n");
                break;
            case ControlFrameType.GoAway when GoAwayFrame.TryParse(frame.Payload, out GoAwayFrame goAway):
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"first-unserved {goAway.FirstUnserved}\nreason {Snake(goAway.Reason)}\n");
                break;
            case ControlFrameType.StartAt when StartAtFrame.TryParse(frame.Payload, out StartAtFrame start):
                text.Append(CultureInfo.InvariantCulture, $"id {start.Id}\noffset {start.Offset}\n");
                break;
            default:
                return "malformed";
        }

        return text.ToString().TrimEnd('\n');
    }

    private static void Describe(StringBuilder text, HelloFrame hello)
    {
        var defaults = new HelloFrame();
        AddUnless(text, "max-object-size", hello.MaxObjectSize, defaults.MaxObjectSize);
        AddUnless(text, "receive-budget", hello.ReceiveBudget, defaults.ReceiveBudget);
        AddUnless(text, "receipt-level", hello.ReceiptsAfterProcessing ? 1 : 0, 0);
        AddUnless(text, "features", (long)hello.Features, 0);
        AddUnless(text, "max-antecedents", hello.MaxAntecedents, defaults.MaxAntecedents);
        AddUnless(text, "max-waiting", hello.MaxWaiting, defaults.MaxWaiting);
        if (hello.AssociationId != UInt128.Zero)
        {
            text.Append(CultureInfo.InvariantCulture, $"association-id {hello.AssociationId:x32}\n");
        }

        AddUnless(text, "resumes", hello.Resumption, 0);
        AddUnless(text, "lowest-id", hello.LowestId, 0);
        text.Append(hello.Held.Count == 0 ? "" : $"held {hello.Held}\n");
        text.Append(hello.Addresses.All.Count == 0 ? "" : $"addresses {hello.Addresses}\n");
    }

    private static string Describe(IdRangeList ids)
    {
        var text = new StringBuilder();
        foreach (IdRange range in ids)
        {
            text.Append(CultureInfo.InvariantCulture, $" {range.First}");
            if (range.Last > range.First)
            {
                text.Append(CultureInfo.InvariantCulture, $"-{range.Last}");
            }
        }

        return text.ToString();
    }

    private static void AddUnless(StringBuilder text, string name, long value, long unless)
    {
        if (value != unless)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");
        }
    }

    /// <summary>The document's spelling of a name in the code: HeaderEncoding is HEADER_ENCODING there.</summary>
    public static string Snake<T>(T value)
        where T : struct, Enum =>
        WordStart().Replace(value.ToString(), "_").ToUpperInvariant();

    private static byte[] FromHex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));

    private static string ToHex(ReadOnlySpan<byte> bytes) => string.Join(' ', bytes.ToArray().Select(b => b.ToString("x2")));

    [GeneratedRegex("(?<=[a-z])(?=[A-Z])")]
    private static partial Regex WordStart();

    private HelloFrame Hello() => new()
    {
        MaxObjectSize = Number("max-object-size", PostInteger.MaxValue),
        ReceiveBudget = Number("receive-budget", PostInteger.MaxValue),
        ReceiptsAfterProcessing = Number("receipt-level", 0) == 1,
        Features = (HelloFeatures)Number("features", 0),
        MaxAntecedents = Number("max-antecedents", ProtocolLimits.DefaultMaxAntecedents),
        MaxWaiting = Number("max-waiting", ProtocolLimits.DefaultMaxWaiting),
        AssociationId = Text("association-id") is { } id ? UInt128.Parse(id, NumberStyles.HexNumber, null) : UInt128.Zero,
        Resumption = Number("resumes", 0),
        LowestId = Number("lowest-id", 0),
        Addresses = FurtherAddresses.Of((Text("addresses") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(System.Net.IPEndPoint.Parse)),
        Held = HeldObjects.Of((Text("held") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(one => one.Split('@')).Select(one => new HeldObject(ParseNumber(one[0]), ParseNumber(one[1])))),
    };

    private int WriteObject(byte[] buffer)
    {
        var header = new ObjectHeader
        {
            Id = Number("id"),
            Niceness = Number("niceness"),
            SentAt = Number("sent-at", 0),
            Lifetime = Number("lifetime", -1),
            PayloadLength = Number("length", -1),
            Offset = Number("offset", -1),
        };
        if (Text("antecedents") is { } antecedents)
        {
            header.Antecedents = antecedents.Split(' ').Select(ParseNumber).ToArray();
        }

        if (Text("metadata") is { } metadata)
        {
            header.Metadata = FromHex(metadata);
        }

        if (Text("durable-id") is { } durableId)
        {
            header.DurableId = FromHex(durableId);
        }

        foreach (string name in (Text("flags") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            header.Treatment |= Enum.GetValues<ObjectFlags>().Single(flag => Snake(flag) == name);
        }

        int written = header.Write(buffer);
        Assert.AreEqual(written, header.Length(), "the stated length of the header");
        byte[] payload = FromHex(Text("payload") ?? "");
        payload.CopyTo(buffer, written);
        return written + payload.Length;
    }

    private string ParseObject()
    {
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        if (ObjectHeader.TryParse(Bytes, scratch, out ObjectHeader header, out int consumed, out _) != ParseStatus.Done)
        {
            return "malformed";
        }

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"id {header.Id}\nniceness {header.Niceness}\n");
        if (header.Lifetime >= 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"sent-at {header.SentAt}\nlifetime {header.Lifetime}\n");
        }

        if (!header.Antecedents.IsEmpty)
        {
            text.Append(CultureInfo.InvariantCulture, $"antecedents {string.Join(' ', header.Antecedents.ToArray())}\n");
        }

        ObjectFlags treatment = header.Treatment;
        string[] flags = [.. Enum.GetValues<ObjectFlags>().Where(flag => flag != 0 && (treatment & flag) != 0).Select(Snake)];
        text.Append(flags.Length == 0 ? "" : $"flags {string.Join(' ', flags)}\n");
        text.Append(header.Metadata.IsEmpty ? "" : $"metadata {ToHex(header.Metadata)}\n");
        AddUnless(text, "length", header.PayloadLength, -1);
        AddUnless(text, "offset", header.Offset, -1);
        text.Append(header.DurableId.IsEmpty ? "" : $"durable-id {ToHex(header.DurableId)}\n");
        text.Append(consumed == Bytes.Length ? "" : $"payload {ToHex(Bytes.AsSpan(consumed))}\n");
        return text.ToString().TrimEnd('\n');
    }

    private string ParseMalformedObject()
    {
        Span<long> scratch = stackalloc long[ProtocolLimits.MaxAntecedents];
        ParseStatus status = ObjectHeader.TryParse(Bytes, scratch, out _, out _, out PostErrorCode error);
        return status == ParseStatus.Invalid ? $"error {Snake(error)}" : status.ToString();
    }

    private string ParseStream()
    {
        if (StreamHeader.TryParse(Bytes, out StreamHeader header, out int consumed) != ParseStatus.Done
            || consumed != Bytes.Length)
        {
            return "malformed";
        }

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"niceness {header.Niceness}\n");
        AddUnless(text, "bandwidth", header.BandwidthBitsPerSecond, 0);
        return text.ToString().TrimEnd('\n');
    }

    private string ParseFrame()
    {
        var reader = new ControlFrameReader();
        ReadOnlySpan<byte> input = [0x00, 0x00];
        if (Kind != "hello" && reader.TryRead(ref input, out _, out _) != ParseStatus.Done)
        {
            return "no HELLO";
        }

        input = Bytes;
        return reader.TryRead(ref input, out ControlFrame frame, out PostErrorCode error) == ParseStatus.Done && input.IsEmpty
            ? ParseFrameOf(frame)
            : $"malformed: {error}";
    }

    private IdRange[] Ids() =>
    [
        .. Text("ids")!.Split(' ').Select(range => range.Split('-')).Select(ends =>
            new IdRange(ParseNumber(ends[0]), ParseNumber(ends[^1]))),
    ];

    private T Named<T>(string key)
        where T : struct, Enum =>
        Enum.GetValues<T>().Single(value => Snake(value) == Text(key));

    private string? Text(string key) =>
        _fields.Where(field => field.Key == key).Select(field => field.Value).SingleOrDefault();

    private long Number(string key) =>
        ParseNumber(Text(key) ?? throw new InvalidDataException($"docs/protocol.md:{Line}: {key} is missing"));

    private long Number(string key, long otherwise) => Text(key) is { } text ? ParseNumber(text) : otherwise;

    private static long ParseNumber(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
