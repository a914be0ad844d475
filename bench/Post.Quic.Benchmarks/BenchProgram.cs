using Post.Quic.Benchmarks.CommandLine;
using Post.Quic.Benchmarks.Engines;
using Post.Quic.Benchmarks.Reporting;

namespace Post.Quic.Benchmarks;

/// <summary>The program without its console, so that a test can run it.</summary>
internal static class BenchProgram
{
    public const int Failed = 1;
    public const int WrongUsage = 2;
    public const int Interrupted = 130;

    /// <summary>Runs what the command line asks for.</summary>
    /// <returns>The exit code: 0 when every figure can be believed.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> words, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        BenchArguments arguments = BenchArguments.Parse(words, out string? problem);
        if (problem is not null)
        {
            await errors.WriteLineAsync(problem);
            return WrongUsage;
        }

        if (arguments.IsList)
        {
            BenchHelp.Write(output);
            return 0;
        }

        IReport report = arguments.IsJson ? new JsonReport(output) : new TableReport(output);
        var runner = new BenchRunner([.. Engines(arguments)], arguments.Settings, report);
        try
        {
            await runner.RunAsync(arguments.Cases, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await errors.WriteLineAsync("Interrupted.");
            return Interrupted;
        }

        return runner.HasFailed ? Failed : 0;
    }

    private static IEnumerable<BenchEngine> Engines(BenchArguments arguments)
    {
        foreach (string key in arguments.Engines)
        {
            yield return key switch
            {
                "managed" => new ManagedEngine(),
                "tls" => new TlsEngine(),
                _ => SystemNetQuic(arguments.MsQuicPath),
            };
        }
    }

    private static BenchEngine SystemNetQuic(string? path)
    {
        if ((OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows())
            && SystemNetQuicEngine.TryCreate(path) is { } engine)
        {
            return engine;
        }

        return new AbsentEngine("System.Net.Quic", "system-net-quic", "libmsquic was not found; --msquic names it.");
    }
}
