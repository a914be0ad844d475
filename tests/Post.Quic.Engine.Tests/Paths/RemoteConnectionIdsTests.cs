using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Paths;

/// <summary>The ids that the peer gives us (RFC 9000 sections 5.1.2 and 19.15).</summary>
[TestClass]
public sealed class RemoteConnectionIdsTests : IDisposable
{
    /// <summary>The id of the packets, which none of these tests retires.</summary>
    private const ulong Other = 1_000;

    private readonly SentFrameLog _log = new();

    public void Dispose() => _log.Dispose();

    [TestMethod]
    public void Ids_are_taken_in_the_order_of_their_numbers_and_never_twice()
    {
        RemoteConnectionIds ids = Create();
        Accept(ids, 3);
        Accept(ids, 1);
        Assert.IsTrue(ids.TryTake(out RemoteConnectionId first));
        Assert.IsTrue(ids.TryTake(out RemoteConnectionId second));
        Assert.AreEqual(1UL, first.Sequence);
        Assert.AreEqual(3UL, second.Sequence);
        Assert.IsFalse(ids.TryTake(out _));
    }

    [TestMethod]
    public void One_id_more_than_announced_is_a_limit_error()
    {
        RemoteConnectionIds ids = Create(limit: 3);
        Accept(ids, 1);
        Accept(ids, 2);
        Assert.AreEqual(TransportErrorCode.ConnectionIdLimitError, ids.OnNew(Frame(3)).Code);
    }

    [TestMethod]
    public void Retirement_comes_before_the_limit_is_counted()
    {
        RemoteConnectionIds ids = Create(limit: 3);
        Accept(ids, 1);
        Accept(ids, 2);
        Accept(ids, 3, retirePriorTo: 2);
        CollectionAssert.AreEquivalent(new ulong[] { 0, 1 }, Write(ids));
        Assert.IsFalse(ids.IsActive(0));
        Assert.IsTrue(ids.IsActive(3));
    }

    [TestMethod]
    public void A_late_id_below_the_line_is_retired_at_once_and_only_once()
    {
        RemoteConnectionIds ids = Create();
        Accept(ids, 5, retirePriorTo: 4);
        CollectionAssert.AreEqual(new ulong[] { 0 }, Write(ids));
        Accept(ids, 2);
        CollectionAssert.AreEqual(new ulong[] { 2 }, Write(ids));
        Accept(ids, 2);
        Assert.IsFalse(ids.HasDataToSend(carrier: Other));
        Assert.AreEqual(1, ids.AvailableCount);
    }

    [TestMethod]
    public void A_smaller_retire_line_that_comes_late_changes_nothing()
    {
        RemoteConnectionIds ids = Create();
        Accept(ids, 5, retirePriorTo: 4);
        _ = Write(ids);
        Accept(ids, 6, retirePriorTo: 1);
        Assert.IsFalse(ids.HasDataToSend(carrier: Other));
        Assert.AreEqual(2, ids.AvailableCount);
    }

    [TestMethod]
    public void A_late_copy_does_not_bring_an_id_back_to_life()
    {
        RemoteConnectionIds ids = Create();
        Accept(ids, 1);
        Assert.IsTrue(ids.TryTake(out RemoteConnectionId id));
        Assert.IsFalse(ids.Retire(id.Sequence).IsError);
        Accept(ids, 1);
        Assert.AreEqual(0, ids.AvailableCount);
    }

    [TestMethod]
    public void The_same_number_with_another_id_or_token_is_a_protocol_violation()
    {
        RemoteConnectionIds ids = Create();
        Accept(ids, 1);
        Accept(ids, 1);
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, ids.OnNew(Frame(1, id: 9)).Code);
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, ids.OnNew(Frame(1, token: 9)).Code);
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, ids.OnNew(Frame(2, id: 1)).Code);
    }

    [TestMethod]
    public void A_peer_that_is_addressed_without_an_id_may_not_issue_any()
    {
        var ids = new RemoteConnectionIds(8);
        _ = ids.SetFirst(default);
        Assert.IsTrue(ids.IsZeroLength);
        Assert.AreEqual(TransportErrorCode.ProtocolViolation, ids.OnNew(Frame(1)).Code);
        Assert.IsTrue(ids.TryTake(out RemoteConnectionId shared));
        Assert.IsTrue(shared.Id.IsEmpty);
        Assert.IsFalse(ids.Retire(0).IsError);
        Assert.IsFalse(ids.HasDataToSend(carrier: Other));
    }

    [TestMethod]
    public void A_retire_line_above_the_number_or_an_empty_id_does_not_parse()
    {
        byte[] aboveItself = [2, 3, 4, 1, 2, 3, 4, .. new byte[16]];
        byte[] empty = [2, 1, 0, .. new byte[16]];
        byte[] tooLong = [2, 1, 21, .. new byte[21], .. new byte[16]];
        foreach (byte[] bytes in new[] { aboveItself, empty, tooLong })
        {
            var reader = new WireReader(bytes);
            Assert.IsFalse(NewConnectionIdFrame.TryParse(FrameType.NewConnectionId, ref reader, out _));
        }
    }

    [TestMethod]
    public void Retirements_that_nobody_acknowledges_end_in_a_limit_error()
    {
        RemoteConnectionIds ids = Create();
        TransportError error = default;
        ulong sequence = 1;
        for (; !error.IsError && sequence < 1000; sequence++)
        {
            error = ids.OnNew(Frame(sequence, retirePriorTo: sequence));
            _ = Write(ids);
        }

        Assert.AreEqual(TransportErrorCode.ConnectionIdLimitError, error.Code);
        Assert.AreEqual(Limits.MaxPendingRetirements + 2, (int)sequence);
    }

    [TestMethod]
    public void Acknowledged_retirements_go_on_for_ever_and_lost_ones_are_repeated()
    {
        RemoteConnectionIds ids = Create();
        for (ulong sequence = 1; sequence < 1000; sequence++)
        {
            Accept(ids, sequence, retirePriorTo: sequence);
            CollectionAssert.AreEqual(new[] { sequence - 1 }, Write(ids));
            ids.OnRetireLost(sequence - 1);
            CollectionAssert.AreEqual(new[] { sequence - 1 }, Write(ids));
            ids.OnRetireAcked();
        }
    }

    [TestMethod]
    public void Only_tokens_of_ids_in_use_end_the_connection()
    {
        RemoteConnectionIds ids = Create();
        Accept(ids, 1);
        byte[] token = Frame(1).ResetToken.Span.ToArray();
        Assert.IsFalse(ids.IsStatelessReset(token), "not used yet");
        Assert.IsTrue(ids.TryTake(out _));
        Assert.IsTrue(ids.IsStatelessReset(token));
        Assert.IsFalse(ids.IsStatelessReset(new byte[16]), "the first id has no token, which is not one of zeros");
        Assert.IsFalse(ids.Retire(1).IsError);
        Assert.IsFalse(ids.IsStatelessReset(token), "retired");
    }

    [TestMethod]
    public void An_id_is_not_retired_in_a_packet_that_is_sent_to_it()
    {
        RemoteConnectionIds ids = Create();
        Accept(ids, 1);
        Accept(ids, 2, retirePriorTo: 2);

        // RFC 9000 section 19.16. The path of id 1 has no other yet.
        CollectionAssert.AreEqual(new ulong[] { 0 }, Write(ids, carrier: 1));
        Assert.IsFalse(ids.HasDataToSend(carrier: 1), "Nothing can go now, so nothing must ask for a packet.");
        Assert.IsTrue(ids.HasDataToSend(carrier: 2));
        CollectionAssert.AreEqual(new ulong[] { 1 }, Write(ids, carrier: 2));
        Assert.IsFalse(ids.HasDataToSend(carrier: 2));
    }

    private static RemoteConnectionIds Create(ulong limit = 8)
    {
        var ids = new RemoteConnectionIds(limit);
        _ = ids.SetFirst(Id(0));
        return ids;
    }

    private static void Accept(RemoteConnectionIds ids, ulong sequence, ulong retirePriorTo = 0)
    {
        TransportError error = ids.OnNew(Frame(sequence, retirePriorTo));
        Assert.IsFalse(error.IsError, error.Reason);
    }

    private static NewConnectionIdFrame Frame(ulong sequence, ulong retirePriorTo = 0, ulong? id = null, byte token = 0)
    {
        var bytes = new byte[StatelessResetToken.Length];
        BitConverter.TryWriteBytes(bytes, sequence + 1);
        bytes[15] = token;
        return new NewConnectionIdFrame(sequence, retirePriorTo, Id(id ?? sequence), new StatelessResetToken(bytes));
    }

    private static ConnectionId Id(ulong number) => new(BitConverter.GetBytes(number + 1000));

    private ulong[] Write(RemoteConnectionIds ids, ulong carrier = Other)
    {
        var writer = new WireWriter(new byte[1200]);
        _ = ids.WriteFrames(ref writer, _log, carrier);
        (long first, int count) = _log.Commit();
        var sequences = new ulong[count];
        for (int i = 0; i < count; i++)
        {
            sequences[i] = _log[first + i].Id;
        }

        return sequences;
    }
}
