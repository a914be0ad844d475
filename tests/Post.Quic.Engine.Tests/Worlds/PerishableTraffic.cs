using System.Buffers.Binary;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;

namespace Post.Quic.Engine.Tests.Worlds;

/// <summary>
/// An application whose messages are worth something for a while only: one every so often, each in a datagram, sent again when its
/// acknowledgement is overdue or it is taken for lost, while it can still come in time. The other side says on a stream of each that it came.
/// </summary>
internal sealed class PerishableTraffic
{
    private readonly Pair _pair;
    private readonly Dictionary<ulong, int> _underWay = [];
    private readonly Queue<int> _again = new();
    private readonly long[] _sent;
    private readonly long[] _came;
    private readonly StreamState _receipts;
    private int _next;
    private int _owed;
    private long _nextAt;
    private long _sentBefore;

    public PerishableTraffic(Pair pair, int count)
    {
        _pair = pair;
        _sent = new long[count];
        _came = new long[count];
        Assert.IsTrue(pair.Server.Core!.Streams.TryOpen(false, out StreamState? receipts), "no credit for a stream");
        _receipts = receipts!;
        pair.Client.Discard = true;
        pair.Client.DatagramTold = OnTold;
        pair.Client.Turn = Send;
        pair.Server.DatagramCame = OnCame;
        pair.Server.Turn = SendReceipts;
    }

    public int Size { get; init; } = 1050;

    public long Interval { get; init; } = 10_000;

    public long Lifetime { get; init; } = 150_000;

    /// <summary>What the way there takes at least: a message with less left is not sent any more.</summary>
    public long OneWay { get; init; } = 25_000;

    /// <summary>How long a receipt waits for others.</summary>
    public long ReceiptDelay { get; init; } = 10_000;

    /// <summary>A repetition that is the last is sent twice.</summary>
    public bool RepairsTwice { get; init; } = true;

    public int Retransmissions { get; private set; }

    /// <summary>Called after each message.</summary>
    public Action? Tick { get; init; }

    /// <summary>What was sent, in packets of a message's size.</summary>
    public double PacketsPerMessage => (_pair.Client.Core!.GetPaths()[0].BytesSent - _sentBefore) / (double)(_sent.Length * (Size + 40));

    /// <summary>The share of the messages that came while they were worth something.</summary>
    public double InTime => _came.Where((at, i) => at != 0 && at - _sent[i] <= Lifetime).Count() / (double)_came.Length;

    /// <summary>In how many microseconds so large a share of all messages came; <see cref="long.MaxValue"/> if it never did.</summary>
    public long Latency(double share)
    {
        long[] sorted = [.. _came.Select((at, i) => at == 0 ? long.MaxValue : at - _sent[i]).Order()];
        return sorted[(int)((sorted.Length - 1) * share)];
    }

    public void Run()
    {
        _sentBefore = _pair.Client.Core!.GetPaths()[0].BytesSent;
        _pair.Client.TurnAt = _nextAt = _pair.Now;
        _pair.RunFor((_sent.Length * Interval) + (2 * Lifetime));
    }

    private void Send(long now)
    {
        while (_again.TryDequeue(out int index))
        {
            Retransmissions++;
            Send(index, now, isRepair: true);
        }

        if (_next < _sent.Length && _nextAt <= now)
        {
            _sent[_next] = now;
            Send(_next++, now, isRepair: false);
            _nextAt += Interval;
            Tick?.Invoke();
        }

        if (_next < _sent.Length)
        {
            _pair.Client.TurnAt = _nextAt;
        }
    }

    private void Send(int index, long now, bool isRepair)
    {
        long deadline = _sent[index] + Lifetime - OneWay;
        if (deadline <= now)
        {
            return;
        }

        byte[] message = new byte[Size];
        BinaryPrimitives.WriteInt32LittleEndian(message, index);
        if (_pair.Client.Core!.Datagrams.TryEnqueue(message, 0, deadline, out ulong number, isRepair: isRepair && RepairsTwice) == DatagramEnqueueResult.Queued)
        {
            _underWay[number] = index;
        }
    }

    private void OnTold(ulong number, DatagramState state)
    {
        // Once for each: what was sent again when it was overdue is not sent again when its loss is certain.
        if (state is DatagramState.Overdue or DatagramState.SuspectedLost && _underWay.Remove(number, out int index))
        {
            _again.Enqueue(index);
            _pair.Client.TurnAt = _pair.Now;
        }
    }

    private void OnCame(byte[] message)
    {
        int index = BinaryPrimitives.ReadInt32LittleEndian(message);
        if (_came[index] != 0)
        {
            return;
        }

        _came[index] = _pair.Now;
        if (_owed++ == 0)
        {
            _pair.Server.TurnAt = _pair.Now + ReceiptDelay;
        }
    }

    private void SendReceipts(long now)
    {
        _ = _receipts.Write(new byte[8]);
        _owed = 0;
    }
}
