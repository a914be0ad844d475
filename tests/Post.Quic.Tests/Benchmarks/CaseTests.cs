using System.Text.Json;
using Post.Quic.Benchmarks;
using Post.Quic.Benchmarks.Cases;

namespace Post.Quic.Tests.Benchmarks;

/// <summary>Every case of the benchmarks, so small that its figures mean nothing: that it runs, and that what it moved is right.</summary>
[TestClass]
public sealed class CaseTests
{
    public static IEnumerable<object[]> Names => CaseCatalog.All.Select(known => new object[] { known.Name });

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [Timeout(120_000)]
    [DynamicData(nameof(Names))]
    public async Task A_case_gives_figures_and_says_of_each_engine_why_it_gives_none(string name)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();

        int exitCode = await BenchProgram.RunAsync([name, "--tiny", "--json"], output, errors, TestContext.CancellationToken);

        Assert.AreEqual(0, exitCode, output.ToString() + errors);
        JsonElement[] lines =
        [
            .. output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement),
        ];
        string[] engines = CaseCatalog.All.Single(known => known.Name == name).Subject is { } subject
            ? [subject.Name]
            : ["managed", "System.Net.Quic", "TLS over TCP"];
        CollectionAssert.AreEquivalent(engines, lines.Select(line => line.GetProperty("engine").GetString()).Distinct().ToArray());
        foreach (JsonElement line in lines)
        {
            Assert.AreEqual(name, line.GetProperty("case").GetString());
            if (!line.TryGetProperty("notMeasured", out JsonElement reason))
            {
                AssertIsFigure(line);
            }
            else
            {
                Assert.AreNotEqual(engines[0], line.GetProperty("engine").GetString(), $"it can do every case: {reason}");
                Assert.AreNotEqual("", reason.GetString());
            }
        }
    }

    private static void AssertIsFigure(JsonElement line)
    {
        Assert.AreNotEqual("", line.GetProperty("unit").GetString());
        Assert.AreEqual(1, line.GetProperty("runs").GetInt32());
        double median = line.GetProperty("median").GetDouble();
        Assert.IsTrue(double.IsFinite(median), line.ToString());

        // The heap may well shrink beside a few connections, a few objects fit into what was allocated before, no object need be late, and
        // behind bulk all those of TCP may be; but nothing comes in no time.
        string figure = line.GetProperty("figure").GetString()!;
        bool mayBeNothing = figure == "late" || figure.StartsWith("allocated", StringComparison.Ordinal)
            || (figure == "in time" && line.GetProperty("engine").GetString() == "TLS over TCP")
            || figure.StartsWith("managed heap", StringComparison.Ordinal)
            || figure.StartsWith("resident", StringComparison.Ordinal) || figure.StartsWith("CPU", StringComparison.Ordinal);
        Assert.IsTrue(mayBeNothing || median > 0, line.ToString());
    }
}
