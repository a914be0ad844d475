using System.Net;
using Post.Sockets.Protocol;
using Post.Sockets.Testing;
using Post.Sockets.Tests.Seam;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Associations;

/// <summary>A peer that speaks bytes of its own choosing, against a server of ours.</summary>
[TestClass]
public sealed class HostilePeerTests
{
    private static readonly byte[] Hello = [0x00, 0x00, 0x03, 0x03, 0x01, 0x03];

    [TestMethod]
    [DataRow("00 01 00", nameof(PostErrorCode.MissingHello), "a receipt before HELLO")]
    [DataRow("00 00 00 00 00", nameof(PostErrorCode.DuplicateHello), "a second HELLO")]
    [DataRow("00 00 00 02 80 00 20 00", nameof(PostErrorCode.FrameTooLong), "a frame of 8 KiB")]
    [DataRow("00 00 01 00", nameof(PostErrorCode.FrameEncoding), "a HELLO that breaks off")]
    [DataRow("00 00 00 01 02 00 00", nameof(PostErrorCode.FrameEncoding), "a receipt without ranges")]
    [DataRow("00 00 00 01 04 00 01 00 00", nameof(PostErrorCode.IdError), "a receipt for an object that was never sent")]
    [DataRow("00 00 00 01 07 00 01 00 80 10 00 00", nameof(PostErrorCode.IdError), "a receipt for a million objects that were never sent")]
    [DataRow("00 00 00 02 03 00 02 00", nameof(PostErrorCode.FrameEncoding), "an ABANDON that breaks off")]
    [DataRow("00 00 00 02 0b 00 01 ff ff ff ff ff ff ff fe 00", nameof(PostErrorCode.IdError), "an ABANDON of the last id there is")]
    [DataRow("00 00 00 03 02 05 00 03 02 06 00", nameof(PostErrorCode.IdError), "a GOAWAY that takes one back")]
    [DataRow("00 00 00 02 0b 00 01 c0 00 00 00 00 80 00 00 00", nameof(PostErrorCode.IdError), "an ABANDON far ahead")]
    public void A_broken_control_stream_closes_with_its_code(string hex, string code, string what) => Run(async peer =>
    {
        await peer.WriteAsync(Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal)), end: false);
        await peer.ExpectCloseAsync(Enum.Parse<PostErrorCode>(code), what);
    }, hello: false);

    [TestMethod]
    [DataRow("01 05 02 00 01 00", nameof(PostErrorCode.HeaderEncoding), "an object that waits for itself")]
    [DataRow("01 05 04 00 00", nameof(PostErrorCode.HeaderEncoding), "metadata of no length")]
    [DataRow("01 05 04 00 60 00", nameof(PostErrorCode.LimitExceeded), "endless metadata")]
    [DataRow("01 05 02 00 41 01", nameof(PostErrorCode.LimitExceeded), "257 antecedents")]
    [DataRow("01 c0 00 00 00 00 20 00 00 00 00", nameof(PostErrorCode.IdError), "an id far ahead")]
    [DataRow("01 00", nameof(PostErrorCode.HeaderEncoding), "a header that ends early")]
    [DataRow("01 00 08 00 03 61", nameof(PostErrorCode.LengthMismatch), "a payload shorter than stated")]
    [DataRow("01 00 08 00 01 61 62", nameof(PostErrorCode.LengthMismatch), "a payload longer than stated")]
    public void A_broken_object_closes_with_its_code(string hex, string code, string what) => Run(async peer =>
    {
        await peer.WriteAsync(Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal)), end: true);
        await peer.ExpectCloseAsync(Enum.Parse<PostErrorCode>(code), what);
    });

    [TestMethod]
    public void A_second_control_stream_closes() => Run(async peer =>
    {
        await peer.WriteAsync(Hello, end: false);
        await peer.ExpectCloseAsync(PostErrorCode.ControlStreamError, "a second control stream");
    });

    [TestMethod]
    public void No_hello_closes_in_time() => Run(
        async peer =>
        {
            await peer.ExpectCloseAsync(PostErrorCode.MissingHello, "no HELLO");
            Assert.IsTrue(peer.World.Clock.Elapsed.TotalSeconds is > 9 and < 12, peer.World.Clock.Elapsed.ToString());
        },
        hello: false);

    [TestMethod]
    public void Unknown_streams_and_frames_are_no_errors() => Run(async peer =>
    {
        await peer.WriteAsync([27, 1, 2, 3], end: false);
        await peer.WriteAsync([0x40, 0x61, 1, 2, 3], end: true);
        var good = await peer.WriteAsync([0x01, 0x00, 0x00, 0x00, 0x68, 0x69], end: true);
        Assert.IsFalse(good.IsStopped);
        using var received = await peer.Server.ReceiveAsync();
        Assert.AreEqual(2, received.Payload.Length);
        Assert.IsFalse(peer.Server.Completion.IsCompleted);
    });

    [TestMethod]
    public void Duplicates_are_dropped_and_delivered_once() => Run(async peer =>
    {
        byte[] bytes = [0x01, 0x00, 0x00, 0x00, 0x68, 0x69];
        await peer.WriteAsync(bytes, end: true);
        await peer.WriteAsync(bytes, end: true);
        peer.Connection.TrySendDatagram(bytes, TransportPriority.Control, 1);
        using var received = await peer.Server.ReceiveAsync();
        await peer.World.DelayAsync(100);
        var more = peer.Server.ReceiveAsync().AsTask();
        await peer.World.DelayAsync(1000);
        Assert.IsFalse(more.IsCompleted);
    });

    [TestMethod]
    public void Objects_that_never_finish_hold_no_more_than_the_budget() => Run(
        async peer =>
        {
            var stopped = 0;
            for (var id = 0; id < 100; id++)
            {
                // Each says it is 10 KB, sends half of it, and waits for ever.
                var head = Header(id, length: 10_000);
                byte[] half = [.. head, .. new byte[5000]];
                var stream = peer.Connection.TryOpenStream(TransportStreamKind.Unidirectional, default)!;
                _ = await stream.WriteAsync(half, false, CancellationToken.None);
                await peer.World.DelayAsync(5);
                var result = await stream.WriteAsync(new byte[1], false, CancellationToken.None);
                stopped += result.IsStopped && result.StopCode == (long)PostErrorCode.ReceiverLimit ? 1 : 0;
                Assert.IsLessThanOrEqualTo(100_000, peer.Held);
            }

            Assert.IsGreaterThan(50, stopped);
            Assert.IsFalse(peer.Server.Completion.IsCompleted, "rejecting is enough");
        },
        options: new() { MaxWholeObjectSize = 20_000, ReceiveBudget = 100_000 });

    [TestMethod]
    public void A_promise_of_a_gigabyte_costs_nothing() => Run(async peer =>
    {
        await peer.WriteAsync(Header(0, length: 1L << 30), end: false);
        await peer.World.DelayAsync(10);
        Assert.IsLessThan(1000, peer.Held);
    });

    [TestMethod]
    public void Antecedents_that_never_come_are_waited_for_within_bounds() => Run(
        async peer =>
        {
            var rejected = 0;
            for (var id = 1; id <= 50; id++)
            {
                var stream = peer.Connection.TryOpenStream(TransportStreamKind.Unidirectional, default)!;
                var header = Header(id, antecedent: 0);
                await stream.WriteAsync(header, false, CancellationToken.None);
                await peer.World.DelayAsync(5);
                rejected += (await stream.WriteAsync(new byte[1], true, CancellationToken.None)).IsStopped ? 1 : 0;
            }

            Assert.AreEqual(40, rejected);
            Assert.IsGreaterThan(0, peer.Held);
            await peer.World.DelayAsync(61_000);
            Assert.AreEqual(0, peer.Held, "a minute is the bound, by default");
            Assert.IsFalse(peer.Server.Completion.IsCompleted);
        },
        options: new() { MaxWaitingObjects = 10 });

    [TestMethod]
    public void A_flood_of_tiny_objects_is_held_back_by_the_application() => Run(
        async peer =>
        {
            var rejected = 0;
            for (var id = 0; id < 5000; id++)
            {
                if (peer.Connection.TrySendDatagram(Header(id, perishable: true), TransportPriority.Control, id) != TransportDatagramResult.Queued)
                {
                    rejected++;
                }

                if (id % 50 == 0)
                {
                    await peer.World.DelayAsync(1);
                }

                Assert.IsLessThanOrEqualTo(100_000, peer.Held);
            }

            await peer.World.DelayAsync(100);
            Assert.IsLessThanOrEqualTo(100_000, peer.Held);
            Assert.IsFalse(peer.Server.Completion.IsCompleted);
        },
        options: new() { MaxWholeObjectSize = 20_000, ReceiveBudget = 100_000 });

    [TestMethod]
    public void Wide_abandons_cost_little() => Run(async peer =>
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        byte[] one = [0x02, 0x07, 0x00, 0x01, 0x01, 0x80, 0x1f, 0xff, 0x00];
        var many = Enumerable.Repeat(one, 20_000).SelectMany(static bytes => bytes).ToArray();
        await peer.Control.WriteAsync(many, false, CancellationToken.None);
        await peer.World.DelayAsync(1000);
        Assert.IsFalse(peer.Server.Completion.IsCompleted);
        Assert.IsLessThan(20, watch.Elapsed.TotalSeconds, "twenty thousand frames that claim two million ids each");
    });

    [TestMethod]
    public void Random_bytes_never_hang_or_crash_anything()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            Run(async peer =>
            {
                for (var i = 0; i < 20 && !peer.Server.Completion.IsCompleted; i++)
                {
                    var bytes = new byte[random.Next(1, 200)];
                    random.NextBytes(bytes);
                    bytes[0] = (byte)random.Next(3);
                    var kind = random.Next(4) == 0 ? TransportStreamKind.Bidirectional : TransportStreamKind.Unidirectional;
                    try
                    {
                        var stream = peer.Connection.TryOpenStream(kind, default);
                        if (stream is not null)
                        {
                            _ = await stream.WriteAsync(bytes, random.Next(2) == 0, CancellationToken.None);
                        }

                        peer.Connection.TrySendDatagram(bytes, TransportPriority.Control, i);
                    }
                    catch (TransportException)
                    {
                        break;
                    }

                    await peer.World.DelayAsync(5);
                }

                if (peer.Server.Completion.IsCompleted)
                {
                    Assert.AreEqual(PostErrorReason.ProtocolViolation, peer.Server.Error!.Reason, $"seed {seed}: {peer.Server.Error}");
                }
            });
        }
    }

    private static byte[] Header(long id, long length = -1, long antecedent = -1, bool perishable = false)
    {
        Span<long> antecedents = [antecedent];
        var header = new ObjectHeader
        {
            Id = id,
            PayloadLength = length,
            Lifetime = perishable ? 60_000_000 : -1,
            Antecedents = antecedent >= 0 ? antecedents : [],
        };
        var bytes = new byte[header.Length()];
        header.Write(bytes);
        return bytes;
    }

    private static void Run(Func<Peer, Task> body, bool hello = true, AssociationOptions? options = null)
    {
        var network = new InMemoryNetwork(1, PostWorld.Link(delay: 1));
        var guard = new SeamGuard();
        network.Run(async () =>
        {
            var transport = new GuardedTransport(network.CreateTransport(), guard);
            var listener = await Listener.ListenAsync(
                transport, Local.At(new DnsEndPoint("server", 1)), new ListenerOptions { Association = options ?? new() });
            var accepting = listener.AcceptAsync().AsTask();
            var connection = await transport.ConnectAsync(
                new TransportConnectRequest { Local = Local.Anonymous, Remote = Remote.Named("server", 1) }, CancellationToken.None);
            var peer = new Peer(new World(network.Clock), connection);
            connection.Start(peer);
            peer.Control = connection.TryOpenStream(TransportStreamKind.Unidirectional, default)!;
            if (hello)
            {
                await peer.Control.WriteAsync(Hello, false, CancellationToken.None);
            }

            peer.Accepting = accepting;
            if (hello)
            {
                peer.Server = (await accepting)!;
            }

            await body(peer);
        });
        guard.AssertKept();
    }

    private sealed class World(VirtualClock clock)
    {
        public VirtualClock Clock { get; } = clock;

        public Task DelayAsync(double milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), Clock);
    }

    private sealed class Peer(World world, TransportConnection connection) : TransportEvents
    {
        private TransportException? _closed;

        public World World { get; } = world;

        public TransportConnection Connection { get; } = connection;

        public TransportStream Control { get; set; } = null!;

        public Association Server { get; set; } = null!;

        /// <summary>Completes when the server has heard a HELLO, and accepts.</summary>
        public Task<Association?> Accepting { get; set; } = null!;

        /// <summary>Bytes that the server holds for its application.</summary>
        public long Held => Server.HeldBytes;

        public override void OnClosed(TransportException reason) => _closed = reason;

        public async Task<TransportWriteResult> WriteAsync(byte[] bytes, bool end)
        {
            var stream = Connection.TryOpenStream(TransportStreamKind.Unidirectional, default)!;
            return await stream.WriteAsync(bytes, end, CancellationToken.None);
        }

        public async Task ExpectCloseAsync(PostErrorCode code, string what)
        {
            for (var i = 0; i < 1200 && _closed is null; i++)
            {
                await World.DelayAsync(10);
            }

            Assert.AreEqual(code, (PostErrorCode?)_closed?.ErrorCode, what);
            if (Accepting.IsCompletedSuccessfully)
            {
                var server = (await Accepting)!;
                await server.Completion;
                Assert.AreEqual(PostErrorReason.ProtocolViolation, server.Error?.Reason, what);
            }
        }
    }
}
