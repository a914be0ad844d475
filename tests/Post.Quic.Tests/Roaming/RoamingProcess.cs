using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Post.Quic.Managed;
using Post.Sockets;

namespace Post.Quic.Tests.Roaming;

/// <summary>
/// One side of an association in a process of its own, which a network namespace takes: this assembly, told so by its environment. The client
/// sends a numbered object each 10 ms; the server counts what comes and remembers the longest silence.
/// </summary>
internal sealed class RoamingProcess : IDisposable
{
    private const string Role = "POST_QUIC_TEST_ROAMING";

    public const int LargeObjects = 8;

    public const int LargeSize = 2_000_000;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    private readonly Process _process;

    private RoamingProcess(Process process, string first)
    {
        _process = process;
        Said = first;
    }

    /// <summary>This process is one.</summary>
    public static bool IsOne => Environment.GetEnvironmentVariable(Role) is not null;

    /// <summary>What it said when it was ready: the server its port and key.</summary>
    public string Said { get; }

    public static async Task<RoamingProcess> StartAsync(string[] at, string role, CancellationToken cancellationToken)
    {
        Process process = Process.Start(new ProcessStartInfo(at[0], [.. at[1..], "dotnet", typeof(RoamingProcess).Assembly.Location])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { [Role] = role },
        })!;
        return new RoamingProcess(process, await process.StandardOutput.ReadLineAsync(cancellationToken) ?? "");
    }

    public async Task<string> AskAsync(string question, CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(question);
        return await _process.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException("The process ended.");
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    public static Task RunAsync()
    {
        string[] words = Environment.GetEnvironmentVariable(Role)!.Split(' ');
        return words[0] == "server"
            ? ServeAsync(Enum.Parse<MultipathPolicy>(words[1]))
            : SendAsync(Enum.Parse<MultipathPolicy>(words[1]), int.Parse(words[2], CultureInfo.InvariantCulture), KeyFingerprint.Parse(words[3]));
    }

    /// <summary>Answers <c>mark</c> (forget the silences so far) and <c>report</c> (objects, distinct ones, longest silence in ms,
    /// large ones that came with the hash that they begin with).</summary>
    private static async Task ServeAsync(MultipathPolicy policy)
    {
        var gate = new Lock();
        var numbers = new HashSet<int>();
        int taken = 0;
        long last = Stopwatch.GetTimestamp();
        double longest = 0;
        using var identity = Identity.CreateSelfSigned("server");
        await using var transport = new ManagedTransport();
        await using Listener listener = await Listener.ListenAsync(
            transport, Local.OnPort(0, identity), new ListenerOptions { Association = new() { Multipath = policy } });
        Console.WriteLine($"{((IPEndPoint)listener.LocalEndPoints[0]).Port} {KeyFingerprint.Of(identity)}");
        int whole = 0;
        using var pulse = new Pulse();
        listener.Register<Accept>(accept => accept.Association.Register<Received>(received =>
        {
            byte[] bytes = received.Object.ToArray();
            lock (gate)
            {
                if (bytes.Length > sizeof(int))
                {
                    whole += SHA256.HashData(bytes.AsSpan(SHA256.HashSizeInBytes)).AsSpan().SequenceEqual(bytes.AsSpan(0, SHA256.HashSizeInBytes)) ? 1 : 0;
                    return;
                }

                longest = Math.Max(longest, Stopwatch.GetElapsedTime(last).TotalMilliseconds);
                last = Stopwatch.GetTimestamp();
                taken++;
                numbers.Add(BitConverter.ToInt32(bytes));
            }
        }));
        while (await Console.In.ReadLineAsync() is { } question)
        {
            lock (gate)
            {
                if (question == "mark")
                {
                    pulse.Restart();
                }

                longest = question == "mark" ? 0 : Math.Max(longest, Stopwatch.GetElapsedTime(last).TotalMilliseconds);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{taken} {numbers.Count} {longest:F0} {whole} {pulse.Longest:F0}"));
            }
        }
    }

    private static byte[] Large(int number)
    {
        byte[] bytes = new byte[LargeSize];
        new Random(number).NextBytes(bytes);
        SHA256.HashData(bytes.AsSpan(SHA256.HashSizeInBytes), bytes);
        return bytes;
    }

    /// <summary>Answers <c>large</c> (sends objects of 2 MB, and says how many were acknowledged in how many seconds), <c>paths</c>, <c>interruptions</c> and <c>stop</c> (objects sent, and how many were acknowledged).</summary>
    private static async Task SendAsync(MultipathPolicy policy, int port, KeyFingerprint key)
    {
        using ILoggerFactory? logs = Environment.GetEnvironmentVariable("POST_QUIC_TEST_LOG") is null
            ? null
            : LoggerFactory.Create(static builder => builder.SetMinimumLevel(LogLevel.Debug).AddProvider(new ErrorLog()));
        await using var transport = new ManagedTransport(loggerFactory: logs);
        await using Association association = await new AssociationFactory(transport, logs).AssociateAsync(
            Local.Anonymous, Remote.Pinned(RoamingNetwork.ServerHost, port, key), new AssociationOptions { Multipath = policy });
        int interruptions = 0;
        using var pulse = new Pulse();
        association.Register<ConnectionChanged>(changed => interruptions += changed.IsConnected ? 0 : 1);
        var sent = new List<SentObject>();
        using var over = new CancellationTokenSource();
        Task sending = Task.Run(async () =>
        {
            using var timer = new PeriodicTimer(Interval);
            while (!over.IsCancellationRequested)
            {
                sent.Add(association.Send(BitConverter.GetBytes(sent.Count)));
                await timer.WaitForNextTickAsync();
            }
        });
        Console.WriteLine("ready");
        while (await Console.In.ReadLineAsync() is { } question)
        {
            switch (question)
            {
                case "paths":
                    Console.WriteLine(string.Join(", ", association.Paths.Select(path => $"{path.LocalEndPoint} {path.InterfaceName} {path.State}")));
                    break;
                case "large":
                    var watch = Stopwatch.StartNew();
                    Receipt[] receipts = await Task.WhenAll(Enumerable.Range(0, LargeObjects).Select(one => association.Send(Large(one)).Completion));
                    Console.WriteLine(string.Create(
                        CultureInfo.InvariantCulture, $"{receipts.Count(static receipt => receipt.IsAcked)} {watch.Elapsed.TotalSeconds}"));
                    break;
                case "interruptions":
                    Console.WriteLine(interruptions);
                    break;
                default:
                    await over.CancelAsync();
                    await sending;
                    Receipt[] ends = await Task.WhenAll(sent.Select(one => one.Completion));
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sent.Count} {ends.Count(end => end.IsAcked)} {pulse.Longest:F0}"));
                    break;
            }
        }
    }

    /// <summary>How long the machine kept this process from running at most, in milliseconds: what it adds to every delay.</summary>
    private sealed class Pulse : IDisposable
    {
        private readonly Timer _timer;
        private long _last = Stopwatch.GetTimestamp();
        private double _longest;

        public Pulse() => _timer = new Timer(_ => Beat(), null, 0, 10);

        public double Longest => Volatile.Read(ref _longest);

        public void Restart() => Volatile.Write(ref _longest, 0);

        public void Dispose() => _timer.Dispose();

        private void Beat()
        {
            long now = Stopwatch.GetTimestamp();
            double silence = Stopwatch.GetElapsedTime(Interlocked.Exchange(ref _last, now), now).TotalMilliseconds;
            if (silence > Volatile.Read(ref _longest))
            {
                Volatile.Write(ref _longest, silence);
            }
        }
    }

    private sealed class ErrorLog : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss.fff} {formatter(state, exception)}");
    }
}
