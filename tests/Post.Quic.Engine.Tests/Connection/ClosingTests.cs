using System.Text;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Tests.Tls;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Connections;

[TestClass]
public sealed class ClosingTests
{
    [TestMethod]
    public void Close_reaches_the_peer_and_both_are_drained_without_timers()
    {
        using Pair pair = new Pair().Handshake();
        pair.Client.Core!.Close(42, "enough", pair.Now);
        Assert.AreEqual(ConnectionPhase.Closing, pair.Client.Core.Phase);
        pair.RunUntil(() => pair.Server.Closed is not null, 1_000_000, "close");
        ConnectionCloseInfo info = pair.Server.Closed!.Value;
        Assert.AreEqual(CloseSource.Peer, info.Source);
        Assert.IsTrue(info.IsApplication);
        Assert.AreEqual(42UL, info.ErrorCode);
        Assert.AreEqual("enough", info.Reason);
        pair.RunUntil(() => pair.Client.IsDrained && pair.Server.IsDrained, 10_000_000, "draining");
        Assert.AreEqual(long.MaxValue, pair.Client.Core.NextTimeout);
        Assert.AreEqual(long.MaxValue, pair.Server.Core!.NextTimeout);
        Assert.IsEmpty(pair.Client.Ids);
        Assert.IsEmpty(pair.Server.Ids);
    }

    [TestMethod]
    public void Closing_answers_fewer_and_fewer_packets()
    {
        using Pair pair = new Pair().Handshake();
        int closes = 0;
        pair.Server.Core!.Close(1, string.Empty, pair.Now);
        pair.Network.Fate = datagram =>
        {
            closes += datagram.FromClient ? 0 : 1;
            return datagram.FromClient ? DatagramFate.Deliver : DatagramFate.Drop;
        };
        var noisy = new EvilPeer(pair.Client, pair.Server);
        for (int i = 0; i < 100; i++)
        {
            noisy.Send(pair.Now, (ref WireWriter writer) => writer.WriteByte(1));
            pair.Drive();
        }

        Assert.IsInRange(2, 9, closes);
    }

    [TestMethod]
    public void Application_close_before_the_handshake_hides_its_code_and_reason()
    {
        using var pair = new Pair(new PairOptions { ServerTls = TlsPair.ServerOptions() });
        pair.Connect();
        pair.RunUntil(() => pair.Server.Core is not null, 1_000_000, "arrival");
        pair.Server.Core!.Close(42, "secret", pair.Now);
        pair.RunUntil(() => pair.Client.Closed is not null, 5_000_000, "close");
        ConnectionCloseInfo info = pair.Client.Closed!.Value;
        Assert.IsFalse(info.IsApplication);
        Assert.AreEqual((ulong)TransportErrorCode.ApplicationError, info.ErrorCode);
        Assert.AreEqual(string.Empty, info.Reason);
    }

    /// <summary>
    /// A peer may drop what follows a packet that it has no keys for any more. A close at several levels reaches it all the same, and one
    /// that has all keys learns the application's code.
    /// </summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(3)]
    public void Close_right_after_the_handshake_says_the_applications_code(int seed)
    {
        using var pair = new Pair(new PairOptions { Seed = (ulong)seed });
        pair.Connect();
        pair.RunUntil(() => pair.Client.Core!.State.IsHandshakeComplete, 1_000_000, "handshake");
        Assert.IsFalse(pair.Client.Core!.State.IsHandshakeConfirmed);
        List<byte> first = Record(pair, fromClient: true);
        pair.Client.Core.Close(42, "enough", pair.Now);
        pair.RunUntil(() => pair.Server.Closed is not null, 1_000_000, "close");
        ConnectionCloseInfo info = pair.Server.Closed!.Value;
        Assert.AreEqual((CloseSource.Peer, true, 42UL, "enough"), (info.Source, info.IsApplication, info.ErrorCode, info.Reason));
        Assert.HasCount(2, first.TakeLast(2).Select(b => b & 0x80).Distinct().ToList(), "1-RTT and Handshake, each in a datagram of its own");
    }

    [TestMethod]
    public void A_servers_close_during_the_handshake_goes_in_one_datagram_for_each_level()
    {
        using var pair = new Pair();
        pair.Connect();
        pair.RunUntil(() => pair.Server.Core is not null, 1_000_000, "arrival");
        pair.Drive();
        List<byte> first = Record(pair, fromClient: false);
        pair.Server.Core!.Close(42, "secret", pair.Now);
        pair.Drive();
        int[] types = [.. first.Select(b => (b >> 4) & 3)];
        CollectionAssert.AreEqual(new[] { 2, 0 }, types, "Handshake, which the client may not read yet, and Initial, which it may have discarded");
        pair.RunUntil(() => pair.Client.Closed is not null, 1_000_000, "close");
        Assert.AreEqual((ulong)TransportErrorCode.ApplicationError, pair.Client.Closed!.Value.ErrorCode);
    }

    /// <summary>The first bytes of the datagrams of one side from now on.</summary>
    private static List<byte> Record(Pair pair, bool fromClient)
    {
        var bytes = new List<byte>();
        pair.Network.Fate = datagram =>
        {
            if (datagram.FromClient == fromClient)
            {
                bytes.Add(datagram.Payload[0]);
            }

            return DatagramFate.Deliver;
        };
        return bytes;
    }

    [TestMethod]
    [DataRow("\u00e4", 2)]
    [DataRow("\u20ac", 3)]
    [DataRow("\U0001F600", 4)]
    public void A_long_reason_is_cut_between_characters(string character, int bytes)
    {
        for (int ahead = 0; ahead < bytes; ahead++)
        {
            using Pair pair = new Pair().Handshake();
            string reason = new string('x', ahead) + string.Concat(Enumerable.Repeat(character, 200));
            pair.Client.Core!.Close(42, reason, pair.Now);
            pair.RunUntil(() => pair.Server.Closed is not null, 1_000_000, "close");
            string heard = pair.Server.Closed!.Value.Reason;
            Assert.StartsWith(heard, reason, StringComparison.Ordinal);
            Assert.IsInRange(Limits.MaxCloseReason - bytes + 1, Limits.MaxCloseReason, Encoding.UTF8.GetByteCount(heard));
        }
    }

    /// <summary>A peer's reason may be longer than what we keep of it, and need not be UTF-8 at all.</summary>
    [TestMethod]
    public void What_is_kept_of_a_peers_reason_is_cut_between_characters()
    {
        using Pair pair = new Pair().Handshake();
        byte[] reason = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("\u20ac", 200)));
        new EvilPeer(pair.Client, pair.Server).Send(
            pair.Now, (ref WireWriter writer) => ConnectionCloseFrame.WriteApplication(ref writer, 42, reason));
        Assert.AreEqual(new string('\u20ac', Limits.MaxCloseReason / 3), pair.Server.Closed!.Value.Reason);

        using Pair other = new Pair().Handshake();
        byte[] noText = [.. Enumerable.Repeat((byte)0x80, Limits.MaxCloseReason + 1)];
        new EvilPeer(other.Client, other.Server).Send(
            other.Now, (ref WireWriter writer) => ConnectionCloseFrame.WriteApplication(ref writer, 42, noText));
        Assert.AreEqual(42UL, other.Server.Closed!.Value.ErrorCode);
    }

    [TestMethod]
    public void A_reason_that_must_fit_a_packet_is_cut_between_characters()
    {
        var closing = new Closing();
        closing.Begin(new ConnectionCloseInfo(CloseSource.Local, true, 42, 0, string.Concat(Enumerable.Repeat("\u20ac", 60))), announce: true);
        for (int room = 20; room < 200; room++)
        {
            var writer = new WireWriter(new byte[room]);
            Assert.IsTrue(closing.TryWrite(EncryptionLevel.Application, ref writer));
            var reader = new WireReader(writer.Written[1..]);
            Assert.IsTrue(ConnectionCloseFrame.TryParse(FrameType.ConnectionCloseApplication, ref reader, out ConnectionCloseFrame frame));
            Assert.AreEqual(0, frame.Reason.Length % 3);
            Assert.IsGreaterThanOrEqualTo(Math.Min(180, room - 8), frame.Reason.Length);
        }
    }

    [TestMethod]
    public void Silence_ends_the_connection_after_the_smaller_idle_timeout()
    {
        using Pair pair = new Pair(new PairOptions
        {
            Client = ConnectionSettings.Default with { MaxIdleTimeout = 20_000_000 },
            Server = ConnectionSettings.Default with { MaxIdleTimeout = 5_000_000 },
        }).Handshake();
        pair.RunFor(1_000_000);
        pair.RunUntil(() => pair.Client.IsDrained && pair.Server.IsDrained, 6_000_000, "idle timeout");
        Assert.AreEqual(CloseSource.IdleTimeout, pair.Client.Closed!.Value.Source);
        Assert.AreEqual(CloseSource.IdleTimeout, pair.Server.Closed!.Value.Source);
    }

    [TestMethod]
    public void Keep_alive_holds_an_idle_connection_for_an_hour()
    {
        using Pair pair = new Pair(new PairOptions
        {
            Client = ConnectionSettings.Default with { KeepAliveInterval = 10_000_000 },
        }).Handshake();
        pair.RunFor(3_600_000_000);
        Assert.IsNull(pair.Client.Closed);
        Assert.IsNull(pair.Server.Closed);

        // A PING and its acknowledgement every ten seconds, and hardly more.
        Assert.IsLessThan(500, pair.Client.Core!.GetStatistics().DatagramsSent);
    }

    [TestMethod]
    public void Idle_timeout_is_never_below_three_probe_timeouts()
    {
        using var pair = new Pair(new PairOptions
        {
            Client = ConnectionSettings.Default with { MaxIdleTimeout = 100_000 },
        });
        pair.Network.Conditions = new LinkConditions { Delay = 300_000 };
        pair.Handshake();
    }

    [TestMethod]
    public void Handshake_that_nobody_answers_ends_in_time()
    {
        using var pair = new Pair();
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        pair.Connect().RunUntil(() => pair.Client.IsDrained, 11_000_000, "time-out");
        Assert.AreEqual(CloseSource.HandshakeTimeout, pair.Client.Closed!.Value.Source);
    }

    [TestMethod]
    public void Handshake_without_a_timeout_takes_the_time_it_takes()
    {
        ConnectionSettings patient = ConnectionSettings.Default with { HandshakeTimeout = long.MaxValue, MaxIdleTimeout = long.MaxValue };
        using var pair = new Pair(new PairOptions { Client = patient, Server = patient });
        pair.RunFor(1_000_000);
        pair.Network.Conditions = new LinkConditions { Loss = 1 };
        pair.Connect().RunFor(60_000_000);
        Assert.IsNull(pair.Client.Closed);
        pair.Network.Conditions = new LinkConditions();
        pair.RunUntil(() => pair.Client.IsConfirmed, 300_000_000, "the handshake");
    }

    [TestMethod]
    public void Stateless_reset_ends_the_connection_at_once()
    {
        using Pair pair = new Pair().Handshake();
        pair.RunFor(1_000_000);
        ConnectionId used = pair.Client.Core!.State.Paths.First.Network.RemoteId.Id;
        byte[] reset = pair.RandomBytes(43);
        reset[0] = 0x40;
        pair.Server.Tokens[used].Span.CopyTo(reset.AsSpan(^16));
        pair.Client.Core.ReceiveDatagram(
            reset, new DatagramMetadata(pair.Client.Address, pair.Server.Address, EcnCodepoint.NotEct), pair.Now);
        Assert.AreEqual(CloseSource.StatelessReset, pair.Client.Closed!.Value.Source);
        pair.RunUntil(() => pair.Client.IsDrained, 5_000_000, "draining");
    }

    [TestMethod]
    public void Datagram_that_ends_in_a_wrong_token_is_dropped()
    {
        using Pair pair = new Pair().Handshake();
        byte[] junk = pair.RandomBytes(43);
        junk[0] = 0x40;
        pair.Client.Core!.ReceiveDatagram(
            junk, new DatagramMetadata(pair.Client.Address, pair.Server.Address, EcnCodepoint.NotEct), pair.Now);
        Assert.IsNull(pair.Client.Closed);
    }

    [TestMethod]
    public void Lost_close_is_repeated_when_the_peer_goes_on()
    {
        using Pair pair = new Pair().Handshake();
        int seen = 0;
        pair.Network.Fate = datagram => datagram.FromClient && seen++ == 0 ? DatagramFate.Drop : DatagramFate.Deliver;
        pair.Client.Core!.Close(7, "bye", pair.Now);
        pair.Drive();
        Assert.IsTrue(pair.Server.Core!.Streams.TryOpen(true, out StreamState? stream));
        _ = stream!.Write(pair.RandomBytes(10));
        pair.RunUntil(() => pair.Server.Closed is not null, 1_000_000, "second close");
        Assert.AreEqual(7UL, pair.Server.Closed!.Value.ErrorCode);
    }
}
