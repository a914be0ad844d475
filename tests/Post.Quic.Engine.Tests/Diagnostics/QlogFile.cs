using System.Text;
using System.Text.Json;

namespace Post.Quic.Engine.Tests.Diagnostics;

/// <summary>Reads a log strictly: every record has its separator and its line feed, and is one JSON object.</summary>
internal sealed class QlogFile
{
    private QlogFile(JsonElement header, IReadOnlyList<JsonElement> events)
    {
        Header = header;
        Events = events;
    }

    public JsonElement Header { get; }

    public IReadOnlyList<JsonElement> Events { get; }

    public static QlogFile Parse(byte[] bytes)
    {
        string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        Assert.StartsWith("\u001e", text);
        Assert.EndsWith("\n", text);
        var records = new List<JsonElement>();
        foreach (string record in text[1..].Split('\u001e'))
        {
            Assert.EndsWith("\n", record);
            using var document = JsonDocument.Parse(record);
            Assert.AreEqual(JsonValueKind.Object, document.RootElement.ValueKind);
            records.Add(document.RootElement.Clone());
        }

        var events = records[1..];
        double time = 0;
        foreach (JsonElement item in events)
        {
            double next = item.GetProperty("time").GetDouble();
            Assert.IsGreaterThanOrEqualTo(time, next, "time runs backwards");
            time = next;
            Assert.AreEqual(JsonValueKind.Object, item.GetProperty("data").ValueKind);
        }

        return new QlogFile(records[0], events);
    }

    public IReadOnlyList<JsonElement> Named(string name) =>
        [.. Events.Where(item => item.GetProperty("name").GetString() == name).Select(item => item.GetProperty("data"))];

    public JsonElement Single(string name)
    {
        IReadOnlyList<JsonElement> found = Named(name);
        Assert.HasCount(1, found, name);
        return found[0];
    }

    public int IndexOf(string name) =>
        Events.Select((item, index) => (item, index)).First(pair => pair.item.GetProperty("name").GetString() == name).index;
}
