using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Lanes;
using Post.Quic.Engine.Udp;

namespace Post.Quic.Engine.Tests.Multipath;

/// <summary>A driver over two sockets, of which one is full.</summary>
[TestClass]
public sealed class FullSocketTests
{
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void A_full_socket_holds_up_only_the_paths_that_go_by_it(bool second)
    {
        using var world = new TwoLinks(1, TwoLinks.Link(20, 20), TwoLinks.Link(20, 20));
        ConnectionCore core = world.Pair.Client.Core!;
        NetworkAddress full = second ? TwoLinks.SecondAddress : world.Pair.Client.Address;
        var sockets = new Sockets(full);
        var driver = new ConnectionDriver(
            sockets,
            new EndpointClock(new StandingClock(world.Pair.Now)),
            static error => Assert.Fail(error.ToString()),
            static _ => null,
            static _ => { })
        {
            Core = core,
        };

        // Something for either path.
        _ = world.Begin(world.Pair.RandomBytes(300_000), new PathSet(PathSetKind.Only, 0));
        _ = world.Begin(world.Pair.RandomBytes(300_000), new PathSet(PathSetKind.Only, 1));
        driver.Execute();

        Assert.AreEqual(0, sockets.SentBy(full));
        Assert.IsGreaterThan(5_000, sockets.SentBy(second ? world.Pair.Client.Address : TwoLinks.SecondAddress), "the other socket has room");
        Assert.AreEqual(1, sockets.Refused, "what goes by a full socket is not built again and again");
        Assert.AreEqual(1, sockets.Waiting);
        Assert.IsGreaterThan(driver.Now, core.NextTimeout, "time stands still");

        // Nobody said that it has room.
        driver.Execute();
        Assert.AreEqual(1, sockets.Refused);

        driver.OnWritable();
        Assert.AreEqual(2, sockets.Refused, "what waits is tried again");
        Assert.AreEqual(2, sockets.Waiting, "and waits again");

        sockets.IsFull = false;
        driver.OnWritable();
        Assert.AreEqual(sockets.FirstRefused, sockets.FirstSent, "what waited goes first");
        Assert.IsGreaterThan(5_000, sockets.SentBy(full));
    }

    private sealed class Sockets(NetworkAddress full) : IDatagramSender
    {
        private readonly Dictionary<NetworkAddress, int> _sent = [];

        public bool IsFull { get; set; } = true;

        public int Refused { get; private set; }

        public int Waiting { get; private set; }

        public string FirstRefused { get; private set; } = "";

        public string FirstSent { get; private set; } = "";

        public int SentBy(NetworkAddress local) => _sent.GetValueOrDefault(local);

        public UdpSendResult Send(ReadOnlySpan<byte> payload, in OutgoingDatagrams batch, out int sent)
        {
            sent = 0;
            if (batch.Local == full && IsFull)
            {
                FirstRefused = Refused++ == 0 ? Convert.ToHexString(payload) : FirstRefused;
                return UdpSendResult.WouldBlock;
            }

            FirstSent = batch.Local == full && FirstSent.Length == 0 ? Convert.ToHexString(payload) : FirstSent;
            _sent[batch.Local] = SentBy(batch.Local) + payload.Length;
            sent = payload.Length;
            return UdpSendResult.Sent;
        }

        public void WakeWhenWritable(ConnectionDriver driver, in OutgoingDatagrams batch)
        {
            Assert.AreEqual(full, batch.Local);
            Waiting++;
        }
    }

    /// <summary>It is always the same moment of the core's time, in microseconds.</summary>
    private sealed class StandingClock(long moment) : TimeProvider
    {
        private long _asked;

        public override long TimestampFrequency => 1_000_000;

        // The clock's origin is what it is told first, and that is one second of the core's time.
        public override long GetTimestamp() => _asked++ == 0 ? 0 : moment - 1_000_000;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new NoTimer();

        private sealed class NoTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
