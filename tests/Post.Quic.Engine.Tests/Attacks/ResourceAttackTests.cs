using System.Diagnostics;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Attacks;

/// <summary>
/// Peers that want our memory or our time, with true keys. The rest of the attack table is held in
/// Connection/AttackTests (challenges, connection ids, CRYPTO data, acknowledgements of what was not sent, packets
/// without keys, amplification, new addresses), Recovery/LossDetectionTests (ranges of acknowledgements),
/// Connection/MigrationTests (forged moves), Endpoint/EndpointIngressTests (floods of handshakes, tokens, stateless
/// resets), Tls/TlsMutationTests, Wire/FrameRulesTests and Wire/MutationTests.
/// </summary>
[TestClass]
public sealed class ResourceAttackTests
{
    private const long Second = 1_000_000;

    /// <summary>Seconds of real time for what takes some hundred milliseconds: only work in the square can miss it.</summary>
    private const double Patience = 20;

    [TestMethod]
    public void Single_bytes_with_gaps_cost_no_more_than_the_window()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        pair.Server.IsLazy = true;
        long start = Stopwatch.GetTimestamp();
        for (ulong i = 0; i < 130_000 && pair.Server.Closed is null; i += 200)
        {
            ulong first = i;
            evil.Send(pair.Now, (ref WireWriter writer) =>
            {
                for (ulong j = first; j < first + 200; j++)
                {
                    StreamFrame.Write(ref writer, 0, 1 + (2 * j), [1], fin: false);
                }
            });
            Assert.IsLessThan(512L * 1024, pair.Server.Core!.State.Pool.RentedBytes);
        }

        Assert.IsLessThan(Patience, Stopwatch.GetElapsedTime(start).TotalSeconds);
        Assert.IsNotNull(pair.Server.Closed, "130,000 gaps were taken");
        Assert.IsFalse(pair.Server.Closed.Value.IsApplication);
    }

    /// <summary>The frames of a sender that writes byte by byte, in the worst order there is: one gap, and not 20,000.</summary>
    [TestMethod]
    public void Single_bytes_from_the_last_to_the_first_are_put_together()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        const int Bytes = 20_000;
        long start = Stopwatch.GetTimestamp();
        for (int i = Bytes; i > 0; i -= 100)
        {
            int last = i;
            evil.Send(pair.Now, (ref WireWriter writer) =>
            {
                for (int j = last - 1; j >= last - 100; j--)
                {
                    StreamFrame.Write(ref writer, 0, (ulong)j, [(byte)j], fin: j == Bytes - 1);
                }
            });
            Assert.IsLessThan(256L * 1024, pair.Server.Core!.State.Pool.RentedBytes);
        }

        pair.Drive();
        Assert.IsLessThan(Patience, Stopwatch.GetElapsedTime(start).TotalSeconds);
        Assert.IsNull(pair.Server.Closed, $"{pair.Server.Closed}");
        CollectionAssert.AreEqual(Enumerable.Range(0, Bytes).Select(i => (byte)i).ToArray(), pair.Server.Received(0));
    }

    /// <summary>A peer that is heard from all the time and acknowledges nothing: probes become rare, and memory stays.</summary>
    [TestMethod]
    public void Peer_that_never_acknowledges_is_sent_little_and_remembered_little()
    {
        ConnectionSettings patient = ConnectionSettings.Default with { MaxIdleTimeout = 3_000 * Second };
        using Pair pair = new Pair(new PairOptions { StandInTls = true, Client = patient, Server = patient }).Handshake();
        pair.RunFor(Second / 2);
        var evil = new EvilPeer(pair.Client, pair.Server);
        pair.Network.FromServer = new LinkConditions { Loss = 1 };
        Assert.IsTrue(pair.Server.Core!.Streams.TryOpen(true, out StreamState? stream));
        stream.WriteAll(new byte[10 << 20]);
        long before = pair.Server.Core.GetStatistics().BytesSent;
        for (int i = 0; i < 600; i++)
        {
            evil.Send(pair.Now, (ref WireWriter writer) => PingFrame.Write(ref writer));
            pair.RunFor(Second);
        }

        Assert.IsNull(pair.Server.Closed, $"{pair.Server.Closed}");
        PacketNumberSpace space = pair.Server.Core.State.Paths.First.Space;
        Assert.IsLessThanOrEqualTo(Limits.SentAckOnlyPackets + 64, space.Sent.Length);
        Assert.IsLessThan(4_096, space.Frames.Count);

        // A window, an ACK for each PING, and two probes each time the back-off doubles.
        Assert.IsLessThan(200_000L, pair.Server.Core.GetStatistics().BytesSent - before);
    }

    [TestMethod]
    public void Bytes_that_nobody_reads_earn_no_credit()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        pair.Server.IsLazy = true;
        ulong connection = ConnectionSettings.Default.InitialMaxData;
        ulong perStream = ConnectionSettings.Default.InitialMaxStreamData;
        byte[] data = new byte[1_000];
        ulong sent = 0;
        for (ulong id = 0; sent < connection; id += 4)
        {
            for (ulong offset = 0; offset < perStream && sent < connection; offset += 1_000)
            {
                ulong length = Math.Min(1_000, Math.Min(perStream - offset, connection - sent));
                evil.Send(
                    pair.Now,
                    (ref WireWriter writer) => StreamFrame.Write(ref writer, id, offset, data.AsSpan(0, (int)length), fin: false));
                sent += length;
            }

            pair.RunFor(10_000);
        }

        Assert.IsNull(pair.Server.Closed, $"{pair.Server.Closed}");
        Assert.AreEqual(connection, pair.Client.Core!.Streams.SendCreditLeft, "credit was given for unread bytes");
        Assert.IsLessThan((long)connection * 3 / 2, pair.Server.Core!.State.Pool.RentedBytes);
        evil.Send(pair.Now, (ref WireWriter writer) => StreamFrame.Write(ref writer, 20, 0, [1], fin: false));
        Assert.AreEqual((ulong)TransportErrorCode.FlowControlError, pair.Server.Closed?.ErrorCode);
    }

    [TestMethod]
    public void Tls_message_that_announces_16_MiB_is_refused_by_its_header()
    {
        using Pair pair = new Pair().Handshake();
        pair.RunFor(Second);
        var evil = new EvilPeer(pair.Server, pair.Client);
        const ulong Start = 0;
        evil.Send(pair.Now, (ref WireWriter writer) => CryptoFrame.Write(ref writer, Start, [4, 0xff, 0xff, 0xff]));
        Assert.AreEqual((ulong)TransportErrorCode.CryptoError, pair.Client.Closed!.Value.ErrorCode & ~0xffUL);
    }

    [TestMethod]
    public void Tls_message_that_never_ends_holds_no_more_than_the_largest_one()
    {
        using Pair pair = new Pair().Handshake();
        pair.RunFor(Second);
        var evil = new EvilPeer(pair.Server, pair.Client);
        const ulong Start = 0;
        long before = pair.Client.Core!.State.Pool.RentedBytes;
        evil.Send(pair.Now, (ref WireWriter writer) => CryptoFrame.Write(ref writer, Start, [4, 0, 0xff, 0xff]));
        for (ulong i = 0; i < 60; i++)
        {
            ulong next = Start + 4 + (i * 1_000);
            evil.Send(pair.Now, (ref WireWriter writer) => CryptoFrame.Write(ref writer, next, new byte[1_000]));
            Assert.IsNull(pair.Client.Closed, $"{pair.Client.Closed}");
            Assert.IsLessThan(before + (64 * 1024), pair.Client.Core.State.Pool.RentedBytes);
        }

        // The connection goes on meanwhile.
        pair.Transfer(pair.Client, pair.Server, pair.RandomBytes(10_000), 5 * Second);
    }

    [TestMethod]
    public void Streams_opened_and_reset_without_end_are_paced()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        ulong opened = 0;
        long end = pair.Now + (3 * Second);
        while (pair.Now < end)
        {
            // The limit that the server gave, as the client's own core heard it.
            ulong limit = pair.Client.Core!.Streams.OpenCreditLeft(bidirectional: false);
            for (; opened < limit && pair.Now < end; opened++)
            {
                ulong id = (4 * opened) + 2;
                evil.Send(pair.Now, (ref WireWriter writer) =>
                {
                    StreamFrame.Write(ref writer, id, 0, [1], fin: false);
                    new ResetStreamFrame(id, 0, 1).Write(ref writer);
                });
                Assert.IsLessThanOrEqualTo(
                    (int)ConnectionSettings.Default.MaxUnidirectionalStreams * 2, pair.Server.Core!.Streams.Count);
            }

            pair.RunFor(2_000);
        }

        Assert.IsNull(pair.Server.Closed, $"{pair.Server.Closed}");
        Assert.IsLessThanOrEqualTo(
            Limits.AbortedStreamBurst + (3UL * Limits.AbortedStreamsPerSecond) + (2 * ConnectionSettings.Default.MaxUnidirectionalStreams),
            opened);
        Assert.IsGreaterThan((ulong)Limits.AbortedStreamBurst / 2, opened, "the attack never got going");
    }

    [TestMethod]
    public void Receiver_that_acknowledges_ahead_of_what_it_received_is_caught()
    {
        using Pair pair = Quiet(out EvilPeer evil);
        pair.Network.FromServer = new LinkConditions { Loss = 1 };
        Assert.IsTrue(pair.Server.Core!.Streams.TryOpen(true, out StreamState? stream));
        stream.WriteAll(new byte[64 << 20]);
        ulong first = pair.Server.Core.State.Paths.First.Space.NextPacketNumber;
        for (int i = 0; i < 3_000 && pair.Server.Closed is null; i++)
        {
            pair.RunFor(1_000);
            ulong largest = pair.Server.Core.State.Paths.First.Space.NextPacketNumber - 1;
            if (largest <= first)
            {
                continue;
            }

            PacketNumberRange[] ranges = [new(first, largest)];
            evil.Send(
                pair.Now, (ref WireWriter writer) => Assert.IsTrue(AckFrameWriter.TryWrite(ref writer, ranges, 0, default, out _)));
        }

        Assert.AreEqual((ulong)TransportErrorCode.ProtocolViolation, pair.Server.Closed?.ErrorCode);
        Assert.IsLessThan(64L << 20, pair.Server.Core.GetStatistics().BytesSent, "it was sent everything before it was caught");
    }

    [TestMethod]
    public void Empty_and_tiny_datagrams_change_nothing()
    {
        using Pair pair = Quiet(out EvilPeer _);
        pair.RunUntilQuiet();
        long timeout = pair.Server.Core!.NextTimeout;
        byte[] buffer = new byte[65_536];
        byte[] tiny = new byte[20];
        var metadata = new DatagramMetadata(pair.Server.Address, pair.Client.Address, EcnCodepoint.NotEct);
        for (int i = 0; i < 20_000; i++)
        {
            tiny.AsSpan().Fill((byte)i);
            pair.Server.Core.ReceiveDatagram(tiny.AsSpan(0, i % 20), metadata, pair.Now);
            Assert.AreEqual(0, pair.Server.Core.BuildDatagrams(buffer, pair.Now, out _), "an answer to nothing");
        }

        Assert.AreEqual(timeout, pair.Server.Core.NextTimeout, "nothing must look like a sign of life");
        Assert.IsNull(pair.Server.Closed);
    }

    [TestMethod]
    public void Ids_that_collide_under_one_key_scatter_under_another()
    {
        var known = new ConnectionIdComparer(new SeededRandomSource(1));
        var secret = new ConnectionIdComparer(new SeededRandomSource(2));
        var colliding = new List<ConnectionId>();
        Span<byte> bytes = stackalloc byte[8];
        for (ulong i = 0; colliding.Count < 64; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, i);
            var id = new ConnectionId(bytes);
            if ((known.GetHashCode(id) & 0xff) == 0)
            {
                colliding.Add(id);
            }
        }

        int largest = colliding.GroupBy(id => secret.GetHashCode(id) & 0xff).Max(bucket => bucket.Count());
        Assert.IsLessThan(8, largest);
    }

    private static Pair Quiet(out EvilPeer evil)
    {
        Pair pair = new Pair(new PairOptions { StandInTls = true }).Handshake();
        pair.RunFor(Second / 2);
        evil = new EvilPeer(pair.Client, pair.Server);
        return pair;
    }
}
