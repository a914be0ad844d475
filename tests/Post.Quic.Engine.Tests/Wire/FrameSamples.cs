using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Testing.Mutations;

namespace Post.Quic.Engine.Tests.Wire;

/// <summary>Frames of every kind with random content.</summary>
internal static class FrameSamples
{
    /// <summary>Every type that can be written; STREAM stands for its eight.</summary>
    public static ReadOnlySpan<ulong> Types =>
    [
        FrameType.Ping, FrameType.Ack, FrameType.AckEcn, FrameType.ResetStream, FrameType.StopSending,
        FrameType.Crypto, FrameType.NewToken, FrameType.Stream, FrameType.MaxData, FrameType.MaxStreamData,
        FrameType.MaxStreamsBidirectional, FrameType.MaxStreamsUnidirectional, FrameType.DataBlocked,
        FrameType.StreamDataBlocked, FrameType.StreamsBlockedBidirectional, FrameType.StreamsBlockedUnidirectional,
        FrameType.NewConnectionId, FrameType.RetireConnectionId, FrameType.PathChallenge, FrameType.PathResponse,
        FrameType.ConnectionClose, FrameType.ConnectionCloseApplication, FrameType.HandshakeDone,
        FrameType.ImmediateAck, FrameType.ResetStreamAt, FrameType.DatagramWithLength, FrameType.AckFrequency,
        FrameType.PathAck, FrameType.PathAckEcn, FrameType.PathAbandon, FrameType.PathStatusBackup,
        FrameType.PathStatusAvailable, FrameType.PathNewConnectionId, FrameType.PathRetireConnectionId, FrameType.MaxPathId,
        FrameType.PathsBlocked, FrameType.PathConnectionIdsBlocked,
    ];

    /// <summary>Writes a random frame of this type; one that carries data has a length, so that others can follow.</summary>
    public static void Write(ulong type, ref WireWriter writer, ref FuzzRandom random)
    {
        Span<byte> data = stackalloc byte[random.Below(70)];
        random.Fill(data);
        switch (type)
        {
            case FrameType.Ping:
                PingFrame.Write(ref writer);
                break;
            case FrameType.HandshakeDone:
                HandshakeDoneFrame.Write(ref writer);
                break;
            case FrameType.ImmediateAck:
                ImmediateAckFrame.Write(ref writer);
                break;
            case FrameType.Ack or FrameType.AckEcn or FrameType.PathAck or FrameType.PathAckEcn:
                WriteAck(type, ref writer, ref random);
                break;
            case FrameType.Crypto:
                CryptoFrame.Write(ref writer, random.VarInt() / 2, data);
                break;
            case FrameType.NewToken:
                NewTokenFrame.Write(ref writer, [1, .. data]);
                break;
            case FrameType.Stream:
                StreamFrame.Write(ref writer, random.VarInt(), random.VarInt() / 2, data, random.Coin());
                break;
            case FrameType.DatagramWithLength:
                DatagramFrame.Write(ref writer, data);
                break;
            case FrameType.ConnectionClose:
                ConnectionCloseFrame.WriteTransport(ref writer, random.VarInt(), random.VarInt(), data);
                break;
            case FrameType.ConnectionCloseApplication:
                ConnectionCloseFrame.WriteApplication(ref writer, random.VarInt(), data);
                break;
            default:
                WriteFixed(type, ref writer, ref random);
                break;
        }
    }

    private static void WriteAck(ulong type, ref WireWriter writer, ref FuzzRandom random)
    {
        Span<PacketNumberRange> ranges = stackalloc PacketNumberRange[1 + random.Below(6)];
        ulong next = (1UL << 40) + random.VarInt() / 2;
        foreach (ref PacketNumberRange range in ranges)
        {
            ulong smallest = next - (ulong)random.Below(300);
            range = new PacketNumberRange(smallest, next);
            next = smallest - 2 - (ulong)random.Below(300);
        }

        EcnCounts counts = type is FrameType.AckEcn or FrameType.PathAckEcn
            ? new EcnCounts(random.VarInt(), random.VarInt(), 1)
            : default;
        uint? pathId = type is FrameType.PathAck or FrameType.PathAckEcn ? (uint)random.VarInt() : null;
        Assert.IsTrue(AckFrameWriter.TryWrite(ref writer, ranges, random.VarInt(), counts, out _, pathId));
    }

    private static void WriteFixed(ulong type, ref WireWriter writer, ref FuzzRandom random)
    {
        ulong a = random.VarInt();
        ulong b = random.VarInt();
        ulong larger = Math.Max(a, b);
        ulong smaller = Math.Min(a, b);
        ulong streams = Math.Min(a, MaxStreamsFrame.MaxLimit);
        switch (type)
        {
            case FrameType.ResetStream:
                new ResetStreamFrame(a, b, random.VarInt()).Write(ref writer);
                break;
            case FrameType.StopSending:
                new StopSendingFrame(a, b).Write(ref writer);
                break;
            case FrameType.MaxData:
                new MaxDataFrame(a).Write(ref writer);
                break;
            case FrameType.MaxStreamData:
                new MaxStreamDataFrame(a, b).Write(ref writer);
                break;
            case FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional:
                new MaxStreamsFrame(type == FrameType.MaxStreamsBidirectional, streams).Write(ref writer);
                break;
            case FrameType.DataBlocked:
                new DataBlockedFrame(a).Write(ref writer);
                break;
            case FrameType.StreamDataBlocked:
                new StreamDataBlockedFrame(a, b).Write(ref writer);
                break;
            case FrameType.StreamsBlockedBidirectional or FrameType.StreamsBlockedUnidirectional:
                new StreamsBlockedFrame(type == FrameType.StreamsBlockedBidirectional, streams).Write(ref writer);
                break;
            case FrameType.NewConnectionId:
                new NewConnectionIdFrame(larger, smaller, Id(ref random), Token(ref random)).Write(ref writer);
                break;
            case FrameType.RetireConnectionId:
                new RetireConnectionIdFrame(a).Write(ref writer);
                break;
            case FrameType.PathChallenge:
                new PathChallengeFrame(random.Next()).Write(ref writer);
                break;
            case FrameType.PathResponse:
                new PathResponseFrame(random.Next()).Write(ref writer);
                break;
            case FrameType.ResetStreamAt:
                new ResetStreamAtFrame(random.VarInt(), random.VarInt(), larger, smaller).Write(ref writer);
                break;
            case FrameType.AckFrequency:
                new AckFrequencyFrame(a, b, random.VarInt(), random.VarInt()).Write(ref writer);
                break;
            case FrameType.PathAbandon:
                new PathAbandonFrame(a, b).Write(ref writer);
                break;
            case FrameType.PathStatusBackup or FrameType.PathStatusAvailable:
                new PathStatusFrame(type == FrameType.PathStatusBackup, a, b).Write(ref writer);
                break;
            case FrameType.PathNewConnectionId:
                new NewConnectionIdFrame(larger, smaller, Id(ref random), Token(ref random), random.VarInt()).Write(ref writer);
                break;
            case FrameType.PathRetireConnectionId:
                new RetireConnectionIdFrame(a, b).Write(ref writer);
                break;
            case FrameType.MaxPathId:
                new MaxPathIdFrame(a).Write(ref writer);
                break;
            case FrameType.PathsBlocked:
                new PathsBlockedFrame(a).Write(ref writer);
                break;
            case FrameType.PathConnectionIdsBlocked:
                new PathConnectionIdsBlockedFrame(a, b).Write(ref writer);
                break;
            default:
                throw new InvalidOperationException($"no sample of 0x{type:x}");
        }
    }

    public static ConnectionId Id(ref FuzzRandom random)
    {
        Span<byte> bytes = stackalloc byte[1 + random.Below(ConnectionId.MaxLength)];
        random.Fill(bytes);
        return new ConnectionId(bytes);
    }

    public static StatelessResetToken Token(ref FuzzRandom random)
    {
        Span<byte> bytes = stackalloc byte[StatelessResetToken.Length];
        random.Fill(bytes);
        return new StatelessResetToken(bytes);
    }
}
