using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Post.Quic.Managed;
using Post.Quic.Tests.FileTransfers;
using Post.Sockets;

namespace Post.Quic.Tests.Stalls;

/// <summary>
/// A receiver in a process of its own, which can be stopped: this assembly, told so by its environment. It says what it took and how late:
/// each object begins with the moment at which its lifetime ends, on the clock that all processes of the machine share.
/// </summary>
internal sealed class ReceiverProcess : IDisposable
{
    private const string Role = "POST_QUIC_TEST_RECEIVER";

    private readonly Process _process;

    private ReceiverProcess(Process process) => _process = process;

    public required IPEndPoint EndPoint { get; init; }

    public required KeyFingerprint Key { get; init; }

    /// <summary>This process is one.</summary>
    public static bool IsOne => Environment.GetEnvironmentVariable(Role) is not null;

    /// <summary>Starts one.</summary>
    /// <param name="takes">Handlers at a time; 0 to take the objects with <c>await foreach</c>.</param>
    public static async Task<ReceiverProcess> StartAsync(int takes, CancellationToken cancellationToken)
    {
        Process process = Process.Start(new ProcessStartInfo("dotnet", [typeof(ReceiverProcess).Assembly.Location])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { [Role] = takes.ToString(CultureInfo.InvariantCulture) },
        })!;
        string[] words = (await process.StandardOutput.ReadLineAsync(cancellationToken) ?? "").Split(' ');
        return new ReceiverProcess(process) { EndPoint = IPEndPoint.Parse(words[0]), Key = KeyFingerprint.Parse(words[1]) };
    }

    /// <summary>An object's bytes: when its lifetime ends, and as many more as make the size.</summary>
    public static byte[] Payload(int size, TimeSpan lifetime)
    {
        byte[] bytes = new byte[size];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Stopwatch.GetTimestamp() + (long)(lifetime.TotalSeconds * Stopwatch.Frequency));
        return bytes;
    }

    public void Stop() => Shell.Run("kill -STOP $1", _process.Id.ToString(CultureInfo.InvariantCulture));

    public void Go() => Shell.Run("kill -CONT $1", _process.Id.ToString(CultureInfo.InvariantCulture));

    /// <summary>How many objects it took, and how many milliseconds after the end of its lifetime it took the latest; below zero for before.</summary>
    public async Task<(int Taken, double Latest)> ReportAsync(CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync("report");
        string[] words = (await _process.StandardOutput.ReadLineAsync(cancellationToken))!.Split(' ');
        return (int.Parse(words[0], CultureInfo.InvariantCulture), double.Parse(words[1], CultureInfo.InvariantCulture));
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }

    /// <summary>Receives, and reports when asked, until its input ends.</summary>
    public static async Task RunAsync()
    {
        int takes = int.Parse(Environment.GetEnvironmentVariable(Role)!, CultureInfo.InvariantCulture);
        var gate = new Lock();
        int taken = 0;
        double latest = double.MinValue;
        using var identity = Identity.CreateSelfSigned("receiver");
        await using var transport = new ManagedTransport();
        await using Listener listener = await Listener.ListenAsync(
            transport,
            Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity),
            new ListenerOptions { Association = new() { HandlerConcurrency = Math.Max(1, takes) } });
        Console.WriteLine($"{listener.LocalEndPoints[0]} {KeyFingerprint.Of(identity)}");
        Association association = (await listener.AcceptAsync())!;
        if (takes > 0)
        {
            association.Register<Received>(received => Take(received.Object));
        }
        else
        {
            _ = TakeAllAsync();
        }

        while (await Console.In.ReadLineAsync() is not null)
        {
            lock (gate)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{taken} {latest}"));
            }
        }

        void Take(ReceivedObject item)
        {
            long now = Stopwatch.GetTimestamp();
            double late = (now - BinaryPrimitives.ReadInt64LittleEndian(item.ToArray())) * 1000.0 / Stopwatch.Frequency;
            lock (gate)
            {
                taken++;
                latest = Math.Max(latest, late);
            }
        }

        async Task TakeAllAsync()
        {
            await foreach (ReceivedObject item in association.ReceiveAllAsync())
            {
                Take(item);
                item.Dispose();
            }
        }
    }
}
