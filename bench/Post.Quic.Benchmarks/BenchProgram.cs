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
        var runner = new BenchRunner(await EnginesAsync(arguments), arguments.Settings, report);
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

    private static async Task<List<BenchEngine>> EnginesAsync(BenchArguments arguments)
    {
        var engines = new List<BenchEngine>();
        foreach (string key in arguments.Engines)
        {
            engines.Add(key switch
            {
                "managed" => new ManagedEngine(),
                "tls" => new TlsEngine(),
                _ => await SystemNetQuicAsync(arguments.MsQuicPath),
            });
        }

        return engines;
    }

    private static async Task<BenchEngine> SystemNetQuicAsync(string? path) =>
        OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsWindows()
            ? await SystemNetQuicEngine.CreateAsync(path)
            : new AbsentEngine("System.Net.Quic", "system-net-quic", "System.Net.Quic does not exist on this platform.");
}
