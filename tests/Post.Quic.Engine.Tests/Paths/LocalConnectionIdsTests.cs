using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Paths;

/// <summary>The ids that we give out (RFC 9000 sections 5.1.1 and 19.16).</summary>
[TestClass]
public sealed class LocalConnectionIdsTests : IDisposable
{
    private readonly Source _source = new();
    private readonly SentFrameLog _log = new();

    public void Dispose() => _log.Dispose();

    [TestMethod]
    [DataRow(2UL, 2)]
    [DataRow(4UL, 4)]
    [DataRow(1UL << 40, Limits.MaxActiveConnectionIds)]
    public void As_many_are_issued_as_the_peer_holds_and_we_allow(ulong peerLimit, int expected)
    {
        LocalConnectionIds ids = Issued(peerLimit);
        Assert.AreEqual(expected, ids.ActiveCount);
        Assert.HasCount(expected - 1, Write(ids, 1200));
        Assert.IsFalse(ids.HasDataToSend);
    }

    [TestMethod]
    public void The_id_of_the_preferred_address_counts_against_the_limit()
    {
        var ids = new LocalConnectionIds(_source);
        _ = ids.IssueInTransportParameters(out _);
        _ = ids.IssueInTransportParameters(out _);
        ids.Fill(2);
        Assert.AreEqual(2, ids.ActiveCount);
        Assert.IsFalse(ids.HasDataToSend);
    }

    [TestMethod]
    public void A_retired_id_is_replaced_and_its_route_goes()
    {
        LocalConnectionIds ids = Issued(4);
        _ = Write(ids, 1200);
        Assert.IsFalse(ids.OnRetire(0, carrier: 1).IsError);
        Assert.HasCount(1, _source.Retired);
        Assert.AreEqual(4, ids.ActiveCount);
        CollectionAssert.AreEqual(new ulong[] { 4 }, Write(ids, 1200));
        Assert.IsFalse(ids.OnRetire(0, carrier: 1).IsError, "a copy of the frame changes nothing");
        Assert.HasCount(1, _source.Retired);
    }

    [TestMethod]
    public void Retiring_an_id_that_was_not_told_is_a_protocol_violation()
    {
        LocalConnectionIds ids = Issued(4);
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, ids.OnRetire(1, carrier: 0).Code);
        _ = Write(ids, 1200);
        Assert.IsFalse(ids.OnRetire(3, carrier: 0).IsError);
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, ids.OnRetire(4, carrier: 0).Code);
    }

    [TestMethod]
    public void Retiring_the_id_of_the_packet_is_a_protocol_violation()
    {
        LocalConnectionIds ids = Issued(4);
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, ids.OnRetire(0, carrier: 0).Code);
    }

    [TestMethod]
    public void A_lost_frame_goes_again_unless_its_id_was_retired()
    {
        LocalConnectionIds ids = Issued(4);
        _ = Write(ids, 1200);
        ids.OnLost(2);
        ids.OnLost(2);
        CollectionAssert.AreEqual(new ulong[] { 2 }, Write(ids, 1200));
        Assert.IsFalse(ids.OnRetire(2, carrier: 0).IsError);
        _ = Write(ids, 1200);
        ids.OnLost(2);
        Assert.IsFalse(ids.HasDataToSend);
    }

    [TestMethod]
    public void Frames_that_do_not_fit_wait_for_the_next_packet()
    {
        LocalConnectionIds ids = Issued(4);
        Assert.HasCount(1, Write(ids, 40));
        Assert.HasCount(2, Write(ids, 1200));
    }

    [TestMethod]
    public void Without_ids_nothing_is_issued_and_nothing_can_be_retired()
    {
        var ids = new LocalConnectionIds(new Source(length: 0));
        Assert.IsTrue(ids.IssueInTransportParameters(out _).IsEmpty);
        ids.Fill(8);
        Assert.IsFalse(ids.HasDataToSend);
        Assert.IsTrue(ids.TryFind([], out _));
        Assert.IsFalse(ids.TryFind([1], out _));
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, ids.OnRetire(0, carrier: 1).Code);
    }

    [TestMethod]
    public void A_peer_that_retires_without_end_holds_no_more_than_the_limit()
    {
        LocalConnectionIds ids = Issued(8);
        for (ulong i = 0; i < 1000; i++)
        {
            _ = Write(ids, 1200);
            Assert.IsFalse(ids.OnRetire(i, carrier: i + 1).IsError);
            Assert.AreEqual(Limits.MaxActiveConnectionIds, ids.ActiveCount);
        }

        Assert.HasCount(1000, _source.Retired);
        ids.RetireAll();
        Assert.HasCount(1008, _source.Retired);
        Assert.IsFalse(ids.HasDataToSend);
    }

    [TestMethod]
    public void A_peer_that_keeps_the_ids_of_paths_it_left_is_asked_for_them_when_it_has_no_other()
    {
        LocalConnectionIds ids = Issued(3);
        _ = Write(ids, 1200);
        ids.OnUsed(1, oldestInUse: 1);
        Assert.IsFalse(ids.HasDataToSend, "It has one left.");
        ids.OnUsed(2, oldestInUse: 2);

        List<NewConnectionIdFrame> frames = WriteAndRead(ids);
        CollectionAssert.AreEqual(new ulong[] { 3, 4 }, frames.ConvertAll(frame => frame.SequenceNumber));
        Assert.IsTrue(frames.TrueForAll(frame => frame.RetirePriorTo == 2));
        Assert.IsTrue(ids.TryFind([1, 0, 0, 0, 0, 0, 0, 9], out _), "What is on its way to an old id still has its route.");
        Assert.AreEqual(3, ids.ActiveCount);

        Assert.IsFalse(ids.OnRetire(0, carrier: 2).IsError);
        Assert.IsFalse(ids.OnRetire(1, carrier: 2).IsError);
        Assert.IsFalse(ids.HasDataToSend, "They are replaced already.");
        Assert.AreEqual(3, ids.ActiveCount);
        Assert.IsFalse(ids.TryFind([1, 0, 0, 0, 0, 0, 0, 9], out _));
    }

    /// <summary>quiche holds two ids, and keeps that of the path it left: it has none for the second move.</summary>
    [TestMethod]
    public void A_peer_that_has_used_all_of_its_ids_gets_another_before_we_move_again()
    {
        LocalConnectionIds ids = Issued(2);
        _ = Write(ids, 1200);
        ids.OnNewNetwork(newestInUse: 0, oldestInUse: 0);
        Assert.IsFalse(ids.HasDataToSend, "It has one left.");
        ids.OnUsed(1, oldestInUse: 0);
        ids.OnNewNetwork(newestInUse: 1, oldestInUse: 0);
        Assert.IsFalse(ids.HasDataToSend, "It still uses both.");

        ids.OnNewNetwork(newestInUse: 1, oldestInUse: 1);

        NewConnectionIdFrame frame = WriteAndRead(ids).Single();
        Assert.AreEqual((2UL, 1UL), (frame.SequenceNumber, frame.RetirePriorTo));
        Assert.AreEqual(2, ids.ActiveCount);
        Assert.IsFalse(ids.OnRetire(0, carrier: 1).IsError);
        Assert.IsFalse(ids.HasDataToSend, "It is replaced already.");
    }

    [TestMethod]
    public void A_peer_that_still_uses_all_of_its_ids_keeps_them()
    {
        LocalConnectionIds ids = Issued(3);
        _ = Write(ids, 1200);
        ids.OnUsed(1, oldestInUse: 0);
        ids.OnUsed(2, oldestInUse: 0);
        Assert.IsFalse(ids.HasDataToSend);
        Assert.AreEqual(3, ids.ActiveCount);
    }

    [TestMethod]
    public void A_hoarder_that_does_not_answer_by_another_path_gets_all_of_its_ids_replaced()
    {
        LocalConnectionIds ids = Issued(4);
        _ = Write(ids, 1200);
        ids.OnUsed(1, oldestInUse: 1);
        ids.OnUsed(0, oldestInUse: 0);
        ids.OnUsed(1, oldestInUse: 1);
        ids.RecallAll();
        Assert.IsFalse(ids.HasDataToSend, "It may yet retire what it has just left.");
        ids.OnUsed(2, oldestInUse: 2);

        ids.RecallAll();
        ids.RecallAll();

        List<NewConnectionIdFrame> frames = WriteAndRead(ids);
        CollectionAssert.AreEqual(new ulong[] { 4, 5, 6, 7 }, frames.ConvertAll(frame => frame.SequenceNumber));
        Assert.IsTrue(frames.TrueForAll(frame => frame.RetirePriorTo == 4), "The one in use, too.");
        for (ulong i = 0; i < 4; i++)
        {
            Assert.IsFalse(ids.OnRetire(i, carrier: 4).IsError);
        }

        Assert.HasCount(4, _source.Retired);
        Assert.AreEqual(4, ids.ActiveCount);
        Assert.IsFalse(ids.HasDataToSend);
    }

    [TestMethod]
    public void A_peer_that_retires_what_it_leaves_is_never_asked()
    {
        LocalConnectionIds ids = Issued(2);
        _ = Write(ids, 1200);
        for (ulong used = 1; used < 100; used++)
        {
            ids.OnUsed(used, used);
            ids.RecallAll();
            Assert.IsFalse(ids.HasDataToSend);
            Assert.IsFalse(ids.OnRetire(used - 1, used).IsError);
            Assert.IsTrue(WriteAndRead(ids).TrueForAll(frame => frame.RetirePriorTo == 0));
        }
    }

    [TestMethod]
    public void A_peer_that_gives_nothing_back_is_asked_once_and_makes_us_hold_no_more()
    {
        LocalConnectionIds ids = Issued(8);
        _ = Write(ids, 1200);
        for (ulong used = 1; used < 8; used++)
        {
            ids.OnUsed(used, used);
        }

        List<NewConnectionIdFrame> asked = WriteAndRead(ids);
        Assert.HasCount(7, asked);
        foreach (NewConnectionIdFrame frame in asked)
        {
            ids.OnUsed(frame.SequenceNumber, frame.SequenceNumber);
        }

        Assert.IsFalse(ids.HasDataToSend);
        Assert.AreEqual(8, ids.ActiveCount);
    }

    [TestMethod]
    public void An_id_that_is_asked_back_and_was_lost_goes_again_so_that_it_can_be_given_back()
    {
        LocalConnectionIds ids = Issued(3);
        _ = Write(ids, 1200);
        ids.OnUsed(1, 1);
        ids.OnUsed(2, 2);
        _ = Write(ids, 1200);
        ids.OnLost(1);

        NewConnectionIdFrame again = WriteAndRead(ids).Single();
        Assert.AreEqual(1UL, again.SequenceNumber);
        Assert.AreEqual(0UL, again.RetirePriorTo, "RFC 9000 section 19.15: never above its own number, and it brings no id that may stay.");
    }

    private LocalConnectionIds Issued(ulong peerLimit)
    {
        var ids = new LocalConnectionIds(_source);
        _ = ids.IssueInTransportParameters(out _);
        ids.Fill(peerLimit);
        return ids;
    }

    /// <summary>Writes what fits; returns the sequence numbers.</summary>
    private ulong[] Write(LocalConnectionIds ids, int room)
    {
        var writer = new WireWriter(new byte[room]);
        _ = ids.WriteFrames(ref writer, _log);
        (long first, int count) = _log.Commit();
        var sequences = new ulong[count];
        for (int i = 0; i < count; i++)
        {
            Assert.AreEqual(SentFrameKind.NewConnectionId, _log[first + i].Kind);
            sequences[i] = _log[first + i].Id;
        }

        return sequences;
    }

    private List<NewConnectionIdFrame> WriteAndRead(LocalConnectionIds ids)
    {
        byte[] packet = new byte[1200];
        var writer = new WireWriter(packet);
        _ = ids.WriteFrames(ref writer, _log);
        _ = _log.Commit();
        var reader = new WireReader(packet.AsSpan(0, packet.Length - writer.Remaining));
        var frames = new List<NewConnectionIdFrame>();
        while (!reader.IsEmpty)
        {
            Assert.IsTrue(reader.TryReadByte(out byte type));
            Assert.AreEqual((byte)FrameType.NewConnectionId, type);
            Assert.IsTrue(NewConnectionIdFrame.TryParse(FrameType.NewConnectionId, ref reader, out NewConnectionIdFrame frame));
            frames.Add(frame);
        }

        return frames;
    }

    private sealed class Source(int length = 8) : IConnectionIdSource
    {
        private byte _next;

        public int Length => length;

        public List<ConnectionId> Retired { get; } = [];

        public ConnectionId Issue(out StatelessResetToken token)
        {
            token = default;
            return new ConnectionId([++_next, 0, 0, 0, 0, 0, 0, 9]);
        }

        public void Retire(in ConnectionId id) => Retired.Add(id);
    }
}
