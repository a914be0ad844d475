using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using Post.Quic.Tests.Links;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>
/// Twice as much as the link carries, and everything with a lifetime: about half must expire, and the link must be spent on
/// what can still arrive. All bounds are on counts and shares, since the machine's own clock may stand still for a while.
/// </summary>
[TestClass]
public sealed class ThrottledLinkTests : EndToEndTests
{
    private const long BitsPerSecond = 4_000_000;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(20);

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing(1_000)]
    [EachPairing(20_000)]
    public async Task What_expires_is_not_sent_any_more_and_what_is_urgent_arrives_in_time(TestEngine client, TestEngine server, int size)
    {
        // A queue of a tenth of a second: a quarter of the lifetime, as routers have it.
        await using PostPair pair = await ConnectAsync(
            client, server, new PairSetup { Link = new LinkShape { BitsPerSecond = BitsPerSecond, QueueBytes = 50_000 } });
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var delivered = new ConcurrentDictionary<long, TimeSpan>();
        Task taking = TakeAllAsync(pair.Server, delivered, enough.Token);
        await SettleAsync(pair);

        long before = pair.Relay!.Up.ForwardedBytes;
        (List<SentObject> ordinary, List<SentObject> urgent) = await OfferAsync(pair.Client, size);
        Receipt[] ends = await Task.WhenAll(ordinary.Concat(urgent).Select(item => item.Completion)).WaitAsync(Cancel);
        long carried = pair.Relay.Up.ForwardedBytes - before;
        await Task.Delay(TimeSpan.FromMilliseconds(500), Cancel);
        long after = pair.Relay.Up.ForwardedBytes - before - carried;
        await enough.CancelAsync();
        await taking;

        int acked = ordinary.Count(item => item.Receipt!.IsAcked);
        int urgentAcked = urgent.Count(item => item.Receipt!.IsAcked);
        int unsent = ordinary.Count(item => item.BytesSent == 0);
        int late = delivered.Values.Count(age => age > Lifetime + TimeSpan.FromMilliseconds(200));
        TestContext.WriteLine(
            $"{acked} of {ordinary.Count} acked, {urgentAcked} of {urgent.Count} urgent ones; {unsent} were never begun; {late} of "
            + $"{delivered.Count} late; the link carried {carried} bytes and {after} more once all was over; "
            + string.Join(", ", ends.CountBy(end => end.ToString())));

        // One end each, and no other than these.
        Assert.IsTrue(ends.All(end => end.Outcome is ObjectOutcome.Acked or ObjectOutcome.Expired), "An object failed.");

        // Receipts are right: acked means delivered.
        Assert.IsTrue(ends.All(end => !end.IsAcked || delivered.ContainsKey(end.Object.Id)), "One was acked and not delivered.");

        // The link carries half of what is offered: no more arrives, and when the last has its end, the link is silent.
        Assert.IsGreaterThan(0, acked);
        Assert.IsLessThan(ordinary.Count * 4 / 5, acked, "More arrived than the link carries.");
        Assert.IsLessThan(BitsPerSecond / 8 / 5, after, "It went on sending what had expired.");
        Assert.IsLessThan(ordinary.Sum(item => item.Length!.Value) * 4 / 5, carried);
        Assert.IsLessThanOrEqualTo(delivered.Count / 10, late, "Objects were delivered after their lifetime.");

        if (pair.Client.Capabilities.HasFlag(TransportCapabilities.Priorities | TransportCapabilities.Statistics))
        {
            // The urgent ones have a twentieth of the link to themselves, whatever else is offered.
            Assert.IsGreaterThanOrEqualTo(urgent.Count * 3 / 4, urgentAcked, "Urgent objects missed their deadlines.");

            // What was delivered and is not acked had a receipt that came after its grace, which is bound to the round trip.
            int deliveredAndExpired = ends.Count(end => !end.IsAcked && delivered.ContainsKey(end.Object.Id));
            Assert.IsLessThanOrEqualTo(ordinary.Count / 5, deliveredAndExpired, "Receipts do not come home in time.");
        }

        if (size < 1_200 && pair.Client.Capabilities.HasFlag(TransportCapabilities.Datagrams))
        {
            // A datagram waits here until its turn, so what cannot arrive any more costs the link nothing.
            Assert.IsGreaterThan(ordinary.Count / 10, unsent, "What expired was sent nevertheless.");
            Assert.IsGreaterThan(ordinary.Count / 5, acked, "The link was spent on what expired.");
        }

        // Nothing of what expired half-way stays at the receiver.
        await UntilAsync(() => pair.Server.HeldBytes == 0);
        Assert.AreEqual(0, pair.Client.PendingObjects);
        Assert.AreEqual(0, pair.Client.QueuedBytes);
    }

    /// <summary>Offers twice the link's rate of ordinary objects, and every few beats a small urgent one.</summary>
    private async Task<(List<SentObject> Ordinary, List<SentObject> Urgent)> OfferAsync(Association from, int size)
    {
        const double BytesPerSecond = 2 * BitsPerSecond / 8.0;
        var ordinary = new List<SentObject>();
        var urgent = new List<SentObject>();
        using var timer = new PeriodicTimer(Beat);
        long started = Stopwatch.GetTimestamp();
        for (long offered = 0; Stopwatch.GetElapsedTime(started) < Duration; await timer.WaitForNextTickAsync(Cancel))
        {
            // By the clock and not by the beats, which may be late; but never a burst of more than a tenth of a second.
            long due = (long)(Stopwatch.GetElapsedTime(started).TotalSeconds * BytesPerSecond);
            offered = Math.Max(offered, due - (long)(BytesPerSecond / 10));
            for (; offered < due; offered += size)
            {
                ordinary.Add(from.Send(Stamped(size), new ObjectProperties { Lifetime = Lifetime }));
            }

            urgent.Add(from.Send(Stamped(500), new ObjectProperties { Lifetime = Lifetime, Niceness = 0 }));
        }

        return (ordinary, urgent);
    }

    private static byte[] Stamped(int size)
    {
        byte[] bytes = Bytes(size);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Stopwatch.GetTimestamp());
        return bytes;
    }

    // The congestion controller finds the link's rate first: what it overshoots is not what this is about.
    private async Task SettleAsync(PostPair pair)
    {
        SentObject warm = pair.Client.Send(Bytes(1_000_000));
        (await warm.Completion.WaitAsync(Cancel)).EnsureAcked();
    }

    private static async Task TakeAllAsync(
        Association association, ConcurrentDictionary<long, TimeSpan> ages, CancellationToken enough)
    {
        try
        {
            await foreach (ReceivedObject item in association.ReceiveAllAsync(enough))
            {
                using (item)
                {
                    if (item.RemainingLifetime != Timeout.InfiniteTimeSpan)
                    {
                        TimeSpan age = Stopwatch.GetElapsedTime(BinaryPrimitives.ReadInt64LittleEndian(item.ToArray()));
                        Assert.IsTrue(ages.TryAdd(item.Id, age), $"Object {item.Id} was delivered twice.");
                    }
                }
            }
        }
        catch (OperationCanceledException)
        {
            // All have their ends.
        }
    }
}
