using System.Globalization;
using System.Runtime.CompilerServices;
using Post.Sockets.Protocol;

namespace Post.Sockets.Tests.Protocol;

/// <summary>docs/protocol.md and the code say the same.</summary>
[TestClass]
public sealed class DocumentTests
{
    private static readonly string[] Lines = File.ReadAllLines(FindDocument());

    [TestMethod]
    public void The_document_has_examples_of_everything_on_the_wire()
    {
        string[] kinds = [.. DocumentExample.ReadAll(Lines).Select(example => example.Kind).Distinct().Order(StringComparer.Ordinal)];
        string[] expected = ["abandon", "clock", "goaway", "hello", "integer", "malformed object", "object", "receipt", "start-at", "stream"];
        CollectionAssert.AreEqual(expected, kinds);
    }

    [TestMethod]
    public void Every_example_parses_to_the_fields_beside_it()
    {
        foreach (DocumentExample example in DocumentExample.ReadAll(Lines))
        {
            Assert.AreEqual(example.Fields, example.Parse(), $"docs/protocol.md:{example.Line}");
        }
    }

    [TestMethod]
    public void Every_example_is_what_its_fields_serialise_to()
    {
        foreach (DocumentExample example in DocumentExample.ReadAll(Lines).Where(one => one.Kind != "malformed object"))
        {
            Assert.AreEqual(
                Convert.ToHexString(example.Bytes),
                Convert.ToHexString(example.Serialise()),
                $"docs/protocol.md:{example.Line}");
        }
    }

    [TestMethod]
    public void The_tables_of_codes_and_types_are_those_of_the_code()
    {
        HoldsTable<PostErrorCode>("## 10. Error codes");
        HoldsTable<ReceiptStatus>("### 4.3 RECEIPT");
        HoldsTable<AbandonReason>("### 4.4 ABANDON");
        HoldsTable<ObjectFlags>("### 5.1 Header");
    }

    [TestMethod]
    public void The_limits_are_those_of_the_code()
    {
        string limits = string.Join('\n', Section("## 11. Limits"));
        Assert.Contains($"| payload of a control frame | {ProtocolLimits.MaxFramePayload} bytes |", limits);
        Assert.Contains($"| ranges in a list of ids | {ProtocolLimits.MaxRangesPerFrame} |", limits);
        Assert.Contains($"| parameters in HELLO | {ProtocolLimits.MaxHelloParameters} |", limits);
        Assert.Contains($"| antecedents of an object | {ProtocolLimits.MaxAntecedents}, and what HELLO says |", limits);
        Assert.Contains($"| metadata of an object | {ProtocolLimits.MaxMetadata} bytes |", limits);
        Assert.Contains($"| header of an object | {ProtocolLimits.MaxObjectHeader} bytes |", limits);
        Assert.Contains($"| durable id of an object | {ProtocolLimits.MaxDurableId} bytes |", limits);
        Assert.Contains($"| unfinished objects in HELLO | {ProtocolLimits.MaxHeldObjects} |", limits);
        Assert.Contains($"| further addresses in HELLO | {ProtocolLimits.MaxPeerAddresses} |", limits);
        Assert.Contains($"2^{Math.Log2(ProtocolLimits.IdWindow)} for the sender, 2^{Math.Log2(ProtocolLimits.IdWindowTolerance)} before", limits);
        Assert.Contains($"the smaller of {ProtocolLimits.MaxReceiptDelay.TotalMilliseconds} ms and RTT/4", limits);
        Assert.Contains($"| wait for HELLO | {ProtocolLimits.HelloTimeout.TotalSeconds} seconds |", limits);
    }

    private static void HoldsTable<T>(string heading)
        where T : struct, Enum
    {
        IEnumerable<(long Code, string Name)> rows = Section(heading)
            .Where(line => line.StartsWith("| 0x", StringComparison.Ordinal))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Select(cells => (long.Parse(cells[1].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture), cells[2]));
        string document = string.Join('\n', rows);
        string code = string.Join('\n', Enum.GetValues<T>()
            .Select(value => (Code: Convert.ToInt64(value, CultureInfo.InvariantCulture), Name: DocumentExample.Snake(value)))

            // What the code calls HasLength, since it says that a field is there, is the flag LENGTH on the wire.
            .Where(row => row.Name != "NONE")
            .Select(row => (row.Code, row.Name.Replace("HAS_", "", StringComparison.Ordinal))));
        Assert.AreEqual(code, document, heading);
    }

    private static IEnumerable<string> Section(string heading) =>
        Lines.SkipWhile(line => line != heading).Skip(1).TakeWhile(line => !line.StartsWith('#'));

    private static string FindDocument([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "docs", "protocol.md");
}
