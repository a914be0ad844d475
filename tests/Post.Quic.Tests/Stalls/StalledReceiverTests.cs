using Post.Quic.Managed;
using Post.Sockets;

namespace Post.Quic.Tests.Stalls;

/// <summary>A receiver that is stopped (SIGSTOP) hands over nothing that has expired meanwhile, wherever it lay.</summary>
[TestClass]
public sealed class StalledReceiverTests
{
    /// <summary>
    /// Between the look at the lifetime and the handler's first line the system may run something else, on a machine that is busy with other
    /// tests for some tens of milliseconds.
    /// </summary>
    private const double Busy = 100;

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(2);

    public required TestContext TestContext { get; init; }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    [DataRow(1, DisplayName = "a handler")]
    [DataRow(4, DisplayName = "four handlers at a time")]
    [DataRow(0, DisplayName = "await foreach")]
    public async Task What_came_to_a_stopped_process_expires_there(int takes)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            Assert.Inconclusive("Processes are stopped by a signal of Unix.");
        }

        using ReceiverProcess receiver = await ReceiverProcess.StartAsync(takes, TestContext.CancellationToken);
        await using var transport = new ManagedTransport();
        await using Association association = await Association.AssociateAsync(
            transport,
            Local.Anonymous,
            Remote.Pinned("127.0.0.1", receiver.EndPoint.Port, receiver.Key),
            cancellationToken: TestContext.CancellationToken);
        var sent = new List<SentObject>();
        Task sending = SendAsync(TimeSpan.FromSeconds(15));
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.CancellationToken);
        receiver.Stop();
        await Task.Delay(TimeSpan.FromSeconds(10), TestContext.CancellationToken);
        receiver.Go();
        await sending;

        Receipt[] ends = await Task.WhenAll(sent.Select(one => one.Completion)).WaitAsync(TestContext.CancellationToken);
        (int taken, double latest) = await receiver.ReportAsync(TestContext.CancellationToken);
        string summary = $"{taken} taken, the latest {latest} ms after its lifetime; {string.Join(", ", ends.CountBy(end => end.ToString()))}";
        Assert.IsLessThan(Busy, latest, summary);
        Assert.IsGreaterThan(100, taken, summary);
        Assert.IsLessThanOrEqualTo(taken, ends.Count(end => end.IsAcked), summary);
        Assert.IsGreaterThan(100, ends.Count(end => end.Outcome == ObjectOutcome.Expired), summary);

        // What is sent when the stall is over arrives as ever.
        Assert.IsTrue(ends[^20..].All(end => end.IsAcked), summary);

        async Task SendAsync(TimeSpan time)
        {
            long start = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(start) < time)
            {
                // As datagrams and as streams.
                int size = sent.Count % 4 == 0 ? 5000 : 100;
                sent.Add(association.Send(ReceiverProcess.Payload(size, Lifetime), new() { Lifetime = Lifetime }));
                await Task.Delay(20, TestContext.CancellationToken);
            }
        }
    }
}
