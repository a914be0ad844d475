using System.Globalization;
using BenchmarkDotNet.Running;
using Post.Quic.Benchmarks;
using Post.Quic.Benchmarks.Cases;
using Post.Quic.Benchmarks.Engines;

BenchCase[] cases =
[
    new BulkCase(),
    new StreamsCase(1),
    new StreamsCase(64),
    new EchoCase(),
    new HandshakeCase(resumed: false),
    new HandshakeCase(resumed: true),
    new IdleMemoryCase(),
];

if (args is ["micro", ..])
{
    BenchmarkSwitcher.FromAssembly(typeof(BenchCase).Assembly).Run(args[1..]);
    return 0;
}

var settings = new BenchSettings();
var wanted = new List<BenchCase>();
string[]? engines = null;
bool json = false;
for (int i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--json":
            json = true;
            break;
        case "--engines" when i + 1 < args.Length:
            engines = args[++i].Split(',');
            break;
        case "--rounds" when TryNumber(out long rounds):
            settings = settings with { Rounds = (int)rounds };
            break;
        case "--bytes" when TryNumber(out long bytes):
            settings = settings with { Bytes = bytes };
            break;
        case "--streams" when TryNumber(out long streams):
            settings = settings with { Streams = (int)streams };
            break;
        case "--echoes" when TryNumber(out long echoes):
            settings = settings with { Echoes = (int)echoes };
            break;
        case "--handshakes" when TryNumber(out long handshakes):
            settings = settings with { Handshakes = (int)handshakes };
            break;
        case "--idle" when TryNumber(out long idle):
            settings = settings with { Idle = (int)idle };
            break;
        case "all":
            wanted.AddRange(cases);
            break;
        default:
            if (Array.Find(cases, known => known.Name == args[i]) is not { } found)
            {
                return Usage($"'{args[i]}' is neither a case nor an option with a number behind it.");
            }

            wanted.Add(found);
            break;
    }

    bool TryNumber(out long number)
    {
        number = 0;
        bool isNumber = i + 1 < args.Length
            && long.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && number > 0;
        i += isNumber ? 1 : 0;
        return isNumber;
    }
}

if (wanted.Count == 0)
{
    return Usage(null);
}

var list = new List<BenchEngine> { new ManagedEngine() };
if (SystemNetQuicEngine.IsSupported)
{
    list.Add(new SystemNetQuicEngine());
}
else if (!json)
{
    Console.WriteLine("System.Net.Quic is left out: libmsquic was not found (name it with POST_MSQUIC_PATH).");
}

list.Add(new TlsEngine());
list.RemoveAll(engine => engines is not null && !engines.Contains(engine.Name, StringComparer.OrdinalIgnoreCase));
foreach (BenchEngine engine in list)
{
    await engine.StartAsync();
}

foreach (BenchCase benchCase in wanted)
{
    var runs = new List<(string Engine, IReadOnlyList<Figure> Figures)>();

    // One after another within each round: what the machine does meanwhile hits all of them.
    for (int round = 0; round < settings.Rounds; round++)
    {
        foreach (BenchEngine engine in list.Where(benchCase.Fits))
        {
            runs.Add((engine.Name, await benchCase.RunAsync(engine, settings)));
            GC.Collect();
        }
    }

    if (runs.Count > 0)
    {
        Report.Write(benchCase.Name, runs, json);
    }
}

foreach (BenchEngine engine in list)
{
    await engine.DisposeAsync();
}

return 0;

int Usage(string? problem)
{
    if (problem is not null)
    {
        Console.Error.WriteLine(problem);
    }

    Console.WriteLine("Cases (or: all):");
    foreach (BenchCase known in cases)
    {
        Console.WriteLine($"  {known.Name,-20} {known.Description}");
    }

    Console.WriteLine("  micro                micro-benchmarks; what follows goes to BenchmarkDotNet, such as --filter '*'");
    Console.WriteLine("Options: --json, --engines managed,System.Net.Quic,\"TLS over TCP\", --rounds N, --bytes N, --streams N,");
    Console.WriteLine("         --echoes N, --handshakes N, --idle N");
    return problem is null ? 0 : 2;
}
