using System.Runtime.Versioning;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>The public API of System.Net.Quic alone keeps the contract, too.</summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class SystemNetQuicWithoutExtrasTests : TransportContractTests
{
    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task It_states_nothing_and_keeps_out_of_what_it_does_not_state()
    {
        await using TransportPair pair = await PairAsync();

        Assert.AreEqual(TransportCapabilities.None, pair.Client.Capabilities);
        Assert.AreEqual(0, pair.Client.MaxDatagramSize);
        Assert.AreEqual(TransportDatagramResult.Unavailable, pair.Client.TrySendDatagram([1], TransportPriority.Control, 1));
        Assert.AreEqual(default, pair.Client.GetStatistics());
        TransportException refused = await Assert.ThrowsExactlyAsync<TransportException>(
            () => pair.Client.MigrateAsync(null, Cancel).AsTask());
        Assert.AreEqual(TransportErrorReason.NotSupported, refused.Reason);
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(true)]
    [DataRow(false)]
    public async Task A_closed_connection_looks_for_a_moved_peer_no_more(bool closesFirst)
    {
        var time = new TimerCount();
        await using var pair = await TransportPair.ConnectAsync(
            MsQuicPlatform.CreateTransport(useExtras: false, time: time), CreateTransport(), null, null, null, null, Cancel);
        Assert.AreEqual(1, time.Running);
        (TransportConnection client, TransportConnection server) = await pair.ConnectAgainAsync(Cancel);

        if (closesFirst)
        {
            await client.CloseAsync(0, "over", Cancel);
            client.Start(new RecordedEvents());
        }
        else
        {
            client.Start(new RecordedEvents());
            Assert.AreEqual(2, time.Running);
            await client.CloseAsync(0, "over", Cancel);
        }

        Assert.AreEqual(1, time.Running);
        await client.DisposeAsync();
        await server.DisposeAsync();
    }

    protected override PostTransport CreateTransport() => MsQuicPlatform.CreateTransport(useExtras: false);

    /// <summary>The system's time, which counts the timers that run by it.</summary>
    private sealed class TimerCount : TimeProvider
    {
        private int _running;

        public int Running => Volatile.Read(ref _running);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Increment(ref _running);
            return new Counted(this, base.CreateTimer(callback, state, dueTime, period));
        }

        private sealed class Counted(TimerCount owner, ITimer timer) : ITimer
        {
            private int _isDisposed;

            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

            public void Dispose()
            {
                if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
                {
                    Interlocked.Decrement(ref owner._running);
                }

                timer.Dispose();
            }

            public ValueTask DisposeAsync()
            {
                Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }
}
