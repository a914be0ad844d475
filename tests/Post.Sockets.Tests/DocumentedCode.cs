namespace Post.Sockets.Tests;

/// <summary>Holds an example in a document to the test that runs it, line by line.</summary>
internal static class DocumentedCode
{
    private const string Begin = "// The example begins here.";

    private const string End = "// The example ends here.";

    /// <summary>Compares an example of a document, by default the first, with what stands between the two marks in a source file.</summary>
    public static void AssertSame(string document, string sourceFile, int example = 0)
    {
        string path = Path.Combine(Path.GetDirectoryName(sourceFile)!, "..", "..", "..", "docs", document);
        IEnumerable<string> lines = File.ReadAllLines(path);
        for (int i = 0; i <= example; i++)
        {
            lines = lines.SkipWhile(line => line != "<!-- example -->").Skip(2);
        }

        IEnumerable<string> shown = lines.TakeWhile(line => line != "```");
        string[] source = File.ReadAllLines(sourceFile);
        int indent = source.First(line => line.Trim() == Begin).IndexOf('/', StringComparison.Ordinal);
        IEnumerable<string> code = source.SkipWhile(line => line.Trim() != Begin).Skip(1).TakeWhile(line => line.Trim() != End)
            .Select(line => line.Length > indent ? line[indent..] : string.Empty);
        Assert.AreEqual(string.Join('\n', code).TrimEnd(), string.Join('\n', shown).TrimEnd());
    }
}
