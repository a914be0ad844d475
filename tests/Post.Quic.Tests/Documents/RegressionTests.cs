using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Post.Quic.Tests.Documents;

/// <summary>docs/regressions.md names tests of all projects: each of them is there.</summary>
[TestClass]
public sealed partial class RegressionTests
{
    [TestMethod]
    public void Every_test_that_the_document_names_exists()
    {
        string root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../.."));
        ILookup<string, string> classes = Directory
            .EnumerateFiles(Path.Combine(root, "tests"), "*.cs", SearchOption.AllDirectories)
            .ToLookup(static file => Path.GetFileName(file).Split('.')[0], File.ReadAllText);
        Match[] named = NamedTest().Matches(File.ReadAllText(Path.Combine(root, "docs", "regressions.md"))).ToArray();

        Assert.IsGreaterThan(50, named.Length, "The document has lost its tables.");
        string[] missing =
        [
            .. named
                .Where(match => !classes[match.Groups["class"].Value].Any(text => text.Contains($" {match.Groups["method"].Value}(", StringComparison.Ordinal)))
                .Select(static match => match.Value),
        ];
        Assert.IsEmpty(missing, $"docs/regressions.md names tests that do not exist: {string.Join(", ", missing)}.");
    }

    [GeneratedRegex("`(?<class>[A-Z][A-Za-z0-9]*)\\.(?<method>[A-Z][A-Za-z0-9]*_[A-Za-z0-9_]*)`")]
    private static partial Regex NamedTest();

    private static string ThisFile([CallerFilePath] string thisFile = "") => thisFile;
}
