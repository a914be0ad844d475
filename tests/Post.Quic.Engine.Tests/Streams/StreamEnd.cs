using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Tests.Simulation;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Streams;

/// <summary>One side of a connection that consists of streams only, and writes down what it is told.</summary>
internal sealed class StreamEnd : IStreamEvents, IDisposable
{
    private readonly byte[] _buffer = new byte[65536];

    public StreamEnd(bool isServer, StreamCredits? announced = null, Func<StreamTableOptions, StreamTableOptions>? change = null)
    {
        Announced = announced ?? new StreamCredits(1 << 20, 1 << 18, 1 << 18, 1 << 18, 100, 100);
        var options = new StreamTableOptions { IsServer = isServer, Announced = Announced };
        Table = new StreamTable(change?.Invoke(options) ?? options, this, Pool);
    }

    public StreamCredits Announced { get; }

    public BlockPool Pool { get; } = new();

    public SentFrameLog Log { get; } = new();

    public StreamTable Table { get; }

    public long Now { get; set; } = 1_000_000;

    public List<string> Events { get; } = [];

    /// <summary>Off where the list itself would be what is measured.</summary>
    public bool KeepsEvents { get; init; } = true;

    public Action<StreamState>? Readable { get; set; }

    public Action<StreamState>? SendSettled { get; set; }

    /// <summary>Off: the listener takes no whole streams.</summary>
    public bool TakesWhole { get; set; } = true;

    /// <summary>Off: whole streams wait for the listener.</summary>
    public bool CreditsWhole { get; set; } = true;

    public int WholeReceived { get; private set; }

    public Action<ulong, byte[]>? WholeCame { get; set; }

    /// <summary>Streams that were handed over unasked.</summary>
    public List<StreamState> Arrived { get; } = [];

    /// <summary>Two sides that know each other's limits.</summary>
    public static (StreamEnd Client, StreamEnd Server) Pair(StreamCredits? client = null, StreamCredits? server = null)
    {
        StreamEnd one = new(false, client), other = new(true, server);
        one.Table.ApplyPeerCredits(other.Announced);
        other.Table.ApplyPeerCredits(one.Announced);
        one.Table.PeerKnowsResetStreamAt = true;
        other.Table.PeerKnowsResetStreamAt = true;
        one.Events.Clear();
        other.Events.Clear();
        return (one, other);
    }

    public StreamState Open(bool bidirectional = true)
    {
        Assert.IsTrue(Table.TryOpen(bidirectional, out StreamState? stream));
        return stream!;
    }

    public StreamState Accept(bool bidirectional = true)
    {
        Assert.IsTrue(Table.TryAccept(bidirectional, Now, out StreamState? stream));
        return stream!;
    }

    /// <summary>One packet's frames; null where there is nothing to send.</summary>
    public StreamPacket? Build(int size = 1200)
    {
        var writer = new WireWriter(_buffer.AsSpan(0, size));
        if (!Table.WriteFrames(ref writer, Log, Now))
        {
            Assert.AreEqual(0, writer.Position);
            return null;
        }

        (long first, int count) = Log.Commit();
        var frames = new SentFrame[count];
        for (int i = 0; i < count; i++)
        {
            frames[i] = Log[first + i];
        }

        Log.FreeUpTo(first + count);
        return new StreamPacket(writer.Written.ToArray(), frames);
    }

    public TransportError Receive(StreamPacket packet) => Receive(packet.Bytes);

    public TransportError Receive(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        while (!reader.IsEmpty)
        {
            Assert.IsTrue(reader.TryReadVarInt(out ulong type));
            TransportError error = Dispatch(type, ref reader);
            if (error.IsError)
            {
                return error;
            }
        }

        return TransportError.None;
    }

    public void Acked(StreamPacket packet)
    {
        foreach (SentFrame frame in packet.Frames)
        {
            Table.OnAcked(frame, Now);
        }
    }

    public void Lost(StreamPacket packet)
    {
        foreach (SentFrame frame in packet.Frames)
        {
            Table.OnLost(frame, Now);
        }
    }

    /// <summary>Sends and acknowledges until neither side has anything more; returns the packets.</summary>
    public int Exchange(StreamEnd peer, int size = 1200)
    {
        int packets = 0;
        bool any = true;
        while (any)
        {
            any = false;
            foreach ((StreamEnd from, StreamEnd to) in new[] { (this, peer), (peer, this) })
            {
                while (from.Build(size) is { } packet)
                {
                    Assert.AreEqual(TransportError.None, to.Receive(packet));
                    from.Acked(packet);
                    packets++;
                    any = true;
                }
            }
        }

        return packets;
    }

    public void Dispose() => Log.Dispose();

    void IStreamEvents.OnStreamReadable(StreamState stream)
    {
        Note("readable", stream);
        Readable?.Invoke(stream);
    }

    void IStreamEvents.OnStreamSent(StreamState stream) => Note("sent", stream);

    void IStreamEvents.OnStreamWritable(StreamState stream) => Note("writable", stream);

    void IStreamEvents.OnStreamSendSettled(StreamState stream)
    {
        Note("settled", stream);
        SendSettled?.Invoke(stream);
    }

    void IStreamEvents.OnStopSending(StreamState stream, ulong errorCode) => Note($"stopped({errorCode})", stream);

    void IStreamEvents.OnStreamClosed(StreamState stream) => Note("closed", stream);

    void IStreamEvents.OnStreamRejected(StreamState stream) => Note("rejected", stream);

    void IStreamEvents.OnStreamsToAccept(bool bidirectional) => Note(bidirectional ? "accept bidi" : "accept uni", null);

    void IStreamEvents.OnStreamCredit(bool bidirectional) => Note(bidirectional ? "credit bidi" : "credit uni", null);

    void IStreamEvents.OnWholeStreamSent(long token) => NoteWhole("sent", token);

    void IStreamEvents.OnWholeStreamAcknowledged(long token) => NoteWhole("acknowledged", token);

    void IStreamEvents.OnWholeStreamStopped(long token, ulong errorCode) => NoteWhole($"stopped({errorCode})", token);

    void IStreamEvents.OnWholeStreamReceived(ulong id, ReadOnlySpan<byte> data, bool isEarlyData, long arrivedAt)
    {
        if (!TakesWhole)
        {
            Table.KeepWhole(id, data, isEarlyData, arrivedAt);
            return;
        }

        WholeReceived++;
        WholeCame?.Invoke(id, data.ToArray());
        if (CreditsWhole)
        {
            Table.CreditWhole(data.Length, 1, Now);
        }
    }

    void IStreamEvents.OnStreamArrived(StreamState stream)
    {
        Note("arrived", stream);
        Arrived.Add(stream);
    }

    private void NoteWhole(string what, long token)
    {
        if (KeepsEvents)
        {
            Events.Add($"{what} whole {token}");
        }
    }

    private void Note(string what, StreamState? stream)
    {
        if (KeepsEvents)
        {
            Events.Add(stream is null ? what : $"{what} {stream.Id}");
        }
    }

    private TransportError Dispatch(ulong type, ref WireReader reader)
    {
        switch (type)
        {
            case >= FrameType.Stream and <= FrameType.StreamLast:
                Assert.IsTrue(StreamFrame.TryParse(type, ref reader, out StreamFrame data));
                return Table.Handle(data, Now);
            case FrameType.ResetStream:
                Assert.IsTrue(ResetStreamFrame.TryParse(ref reader, out ResetStreamFrame reset));
                return Table.Handle(reset, Now);
            case FrameType.ResetStreamAt:
                Assert.IsTrue(ResetStreamAtFrame.TryParse(ref reader, out ResetStreamAtFrame resetAt));
                return Table.Handle(resetAt, Now);
            case FrameType.StopSending:
                Assert.IsTrue(StopSendingFrame.TryParse(ref reader, out StopSendingFrame stop));
                return Table.Handle(stop, Now);
            case FrameType.MaxStreamData:
                Assert.IsTrue(MaxStreamDataFrame.TryParse(ref reader, out MaxStreamDataFrame credit));
                return Table.Handle(credit);
            case FrameType.MaxData:
                Assert.IsTrue(MaxDataFrame.TryParse(ref reader, out MaxDataFrame all));
                Table.HandleMaxData(all.Limit);
                return TransportError.None;
            case FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional:
                Assert.IsTrue(MaxStreamsFrame.TryParse(type, ref reader, out MaxStreamsFrame streams));
                Table.HandleMaxStreams(streams.IsBidirectional, streams.Limit);
                return TransportError.None;
            case FrameType.StreamDataBlocked:
                Assert.IsTrue(StreamDataBlockedFrame.TryParse(ref reader, out StreamDataBlockedFrame blocked));
                return Table.Handle(blocked);
            case FrameType.DataBlocked:
                Assert.IsTrue(DataBlockedFrame.TryParse(ref reader, out _));
                return TransportError.None;
            case FrameType.StreamsBlockedBidirectional or FrameType.StreamsBlockedUnidirectional:
                Assert.IsTrue(StreamsBlockedFrame.TryParse(type, ref reader, out _));
                return TransportError.None;
            default:
                throw new InvalidOperationException($"frame 0x{type:x} is not about streams");
        }
    }
}
