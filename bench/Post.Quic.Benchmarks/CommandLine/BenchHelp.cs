using Post.Quic.Benchmarks.Cases;

namespace Post.Quic.Benchmarks.CommandLine;

/// <summary>What the program says about itself.</summary>
internal static class BenchHelp
{
    private const int Width = 110;

    public static void Write(TextWriter output)
    {
        output.WriteLine("Usage: Post.Quic.Benchmarks CASE... [OPTION...], or: all, or: micro [OPTIONS OF BENCHMARKDOTNET]");
        output.WriteLine();
        output.WriteLine("Cases:");
        foreach (BenchCase known in CaseCatalog.All)
        {
            output.WriteLine($"  {known.Name}");
            WriteWrapped(output, known.Measures);
            WriteWrapped(output, "Not in it: " + known.Excludes);
        }

        output.WriteLine("  micro");
        WriteWrapped(output, "Micro-benchmarks of the engine's parts; what follows goes to BenchmarkDotNet, such as --filter '*'.");
        output.WriteLine();
        var defaults = new BenchOptions();
        output.WriteLine("Options:");
        output.WriteLine($"  --engines LIST     of {string.Join(',', BenchArguments.EngineKeys)}; all that are here by default");
        output.WriteLine($"  --runs N           of each case with each engine, in turns; medians are shown ({defaults.Runs})");
        output.WriteLine($"  --seconds N        of cases that run for a time ({defaults.Seconds})");
        output.WriteLine($"  --bytes N          of bulk cases ({defaults.Bytes})");
        output.WriteLine($"  --streams N, --objects N, --echoes N, --handshakes N, --associations N   of cases that count them "
            + $"({defaults.Streams}, {defaults.Objects}, {defaults.Echoes}, {defaults.Handshakes}, {defaults.Associations})");
        output.WriteLine($"  --seed N           decides which packets are lost ({defaults.Seed})");
        output.WriteLine("  --msquic PATH      of libmsquic, where the system does not find it; or the variable POST_MSQUIC_PATH");
        output.WriteLine("  --tiny             all in seconds, to see that the cases work; the figures mean nothing");
        output.WriteLine("  --json             one line of JSON a figure in place of tables");
        output.WriteLine("  --list, --help     this");
    }

    private static void WriteWrapped(TextWriter output, string text)
    {
        string line = "     ";
        foreach (string word in text.Split(' '))
        {
            if (line.Length + 1 + word.Length > Width)
            {
                output.WriteLine(line);
                line = "     ";
            }

            line += " " + word;
        }

        output.WriteLine(line);
    }
}
