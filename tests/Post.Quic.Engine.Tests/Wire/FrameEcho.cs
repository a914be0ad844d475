using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Tests.Wire;

/// <summary>
/// Reads every frame of a payload and writes it again, as the connection would dispatch it: what comes out of our
/// own writers comes out unchanged. It allocates nothing, so that a test can say the same of the engine.
/// </summary>
internal static class FrameEcho
{
    public const FrameExtensions All =
        FrameExtensions.Datagram | FrameExtensions.ResetStreamAt | FrameExtensions.AckFrequency | FrameExtensions.Multipath;

    public static TransportError Echo(
        ReadOnlySpan<byte> payload,
        EncryptionLevel level,
        bool fromServer,
        Span<byte> destination,
        out int written)
    {
        var writer = new WireWriter(destination);
        var reader = new FrameReader(payload, level, fromServer, All);
        while (reader.TryReadType(out ulong type))
        {
            if (!EchoFrame(type, ref reader.Body, ref writer))
            {
                written = writer.Position;
                return reader.Malformed();
            }
        }

        written = writer.Position;
        return reader.Error;
    }

    private static bool EchoFrame(ulong type, ref WireReader reader, ref WireWriter writer) => type switch
    {
        FrameType.Ack or FrameType.AckEcn or FrameType.PathAck or FrameType.PathAckEcn => EchoAck(type, ref reader, ref writer),
        <= FrameType.NewToken => EchoLow(type, ref reader, ref writer),
        <= FrameType.StreamLast => EchoStream(type, ref reader, ref writer),
        < FrameType.NewConnectionId => EchoLimit(type, ref reader, ref writer),
        < FrameType.PathAbandon => EchoHigh(type, ref reader, ref writer),
        _ => EchoPath(type, ref reader, ref writer),
    };

    private static bool EchoAck(ulong type, ref WireReader reader, ref WireWriter writer)
    {
        if (!AckFrame.TryParse(type, ref reader, out AckFrame frame))
        {
            return false;
        }

        Span<PacketNumberRange> ranges = stackalloc PacketNumberRange[frame.RangeCount];
        int count = 0;
        foreach (PacketNumberRange range in frame)
        {
            ranges[count++] = range;
        }

        Require(count == frame.RangeCount);
        Require(AckFrameWriter.TryWrite(ref writer, ranges, frame.AckDelay, frame.EcnCounts, out int written, (uint?)frame.PathId));
        Require(written == count);
        return true;
    }

    private static bool EchoStream(ulong type, ref WireReader reader, ref WireWriter writer)
    {
        bool read = StreamFrame.TryParse(type, ref reader, out StreamFrame frame);
        if (read)
        {
            StreamFrame.Write(
                ref writer, frame.StreamId, frame.Offset, frame.Data, frame.Fin, withLength: (type & 0x02) != 0);
        }

        return read;
    }

    private static bool EchoLow(ulong type, ref WireReader reader, ref WireWriter writer)
    {
        int start = writer.Position;
        switch (type)
        {
            case FrameType.Ping:
                PingFrame.Write(ref writer);
                return Took(PingFrame.Length, start, writer);
            case FrameType.ResetStream:
                if (!ResetStreamFrame.TryParse(ref reader, out ResetStreamFrame resetStream))
                {
                    return false;
                }

                resetStream.Write(ref writer);
                return Took(resetStream.Length, start, writer);
            case FrameType.StopSending:
                if (!StopSendingFrame.TryParse(ref reader, out StopSendingFrame stopSending))
                {
                    return false;
                }

                stopSending.Write(ref writer);
                return Took(stopSending.Length, start, writer);
            case FrameType.Crypto:
                if (!CryptoFrame.TryParse(ref reader, out CryptoFrame crypto))
                {
                    return false;
                }

                CryptoFrame.Write(ref writer, crypto.Offset, crypto.Data);
                return Took(CryptoFrame.LengthOf(crypto.Offset, crypto.Data.Length), start, writer);
            case FrameType.NewToken:
                if (!NewTokenFrame.TryParse(ref reader, out NewTokenFrame newToken))
                {
                    return false;
                }

                NewTokenFrame.Write(ref writer, newToken.Token);
                return Took(NewTokenFrame.LengthOf(newToken.Token.Length), start, writer);
            default:
                throw new InvalidOperationException("a type that the reader must not let through");
        }
    }

    private static bool EchoLimit(ulong type, ref WireReader reader, ref WireWriter writer)
    {
        int start = writer.Position;
        switch (type)
        {
            case FrameType.MaxData:
                if (!MaxDataFrame.TryParse(ref reader, out MaxDataFrame maxData))
                {
                    return false;
                }

                maxData.Write(ref writer);
                return Took(maxData.Length, start, writer);
            case FrameType.MaxStreamData:
                if (!MaxStreamDataFrame.TryParse(ref reader, out MaxStreamDataFrame maxStreamData))
                {
                    return false;
                }

                maxStreamData.Write(ref writer);
                return Took(maxStreamData.Length, start, writer);
            case FrameType.DataBlocked:
                if (!DataBlockedFrame.TryParse(ref reader, out DataBlockedFrame dataBlocked))
                {
                    return false;
                }

                dataBlocked.Write(ref writer);
                return Took(dataBlocked.Length, start, writer);
            case FrameType.StreamDataBlocked:
                if (!StreamDataBlockedFrame.TryParse(ref reader, out StreamDataBlockedFrame streamDataBlocked))
                {
                    return false;
                }

                streamDataBlocked.Write(ref writer);
                return Took(streamDataBlocked.Length, start, writer);
            case FrameType.MaxStreamsBidirectional:
            case FrameType.MaxStreamsUnidirectional:
                if (!MaxStreamsFrame.TryParse(type, ref reader, out MaxStreamsFrame maxStreams))
                {
                    return false;
                }

                maxStreams.Write(ref writer);
                return Took(maxStreams.Length, start, writer);
            case FrameType.StreamsBlockedBidirectional:
            case FrameType.StreamsBlockedUnidirectional:
                if (!StreamsBlockedFrame.TryParse(type, ref reader, out StreamsBlockedFrame streamsBlocked))
                {
                    return false;
                }

                streamsBlocked.Write(ref writer);
                return Took(streamsBlocked.Length, start, writer);
            default:
                throw new InvalidOperationException("a type that the reader must not let through");
        }
    }

    private static bool EchoHigh(ulong type, ref WireReader reader, ref WireWriter writer)
    {
        int start = writer.Position;
        switch (type)
        {
            case FrameType.NewConnectionId:
                if (!NewConnectionIdFrame.TryParse(type, ref reader, out NewConnectionIdFrame newConnectionId))
                {
                    return false;
                }

                newConnectionId.Write(ref writer);
                return Took(newConnectionId.Length, start, writer);
            case FrameType.RetireConnectionId:
                if (!RetireConnectionIdFrame.TryParse(type, ref reader, out RetireConnectionIdFrame retireConnectionId))
                {
                    return false;
                }

                retireConnectionId.Write(ref writer);
                return Took(retireConnectionId.Length, start, writer);
            case FrameType.PathChallenge:
                if (!PathChallengeFrame.TryParse(ref reader, out PathChallengeFrame pathChallenge))
                {
                    return false;
                }

                pathChallenge.Write(ref writer);
                return Took(PathChallengeFrame.Length, start, writer);
            case FrameType.PathResponse:
                if (!PathResponseFrame.TryParse(ref reader, out PathResponseFrame pathResponse))
                {
                    return false;
                }

                pathResponse.Write(ref writer);
                return Took(PathResponseFrame.Length, start, writer);
            case FrameType.ResetStreamAt:
                if (!ResetStreamAtFrame.TryParse(ref reader, out ResetStreamAtFrame resetStreamAt))
                {
                    return false;
                }

                resetStreamAt.Write(ref writer);
                return Took(resetStreamAt.Length, start, writer);
            case FrameType.AckFrequency:
                if (!AckFrequencyFrame.TryParse(ref reader, out AckFrequencyFrame ackFrequency))
                {
                    return false;
                }

                ackFrequency.Write(ref writer);
                return Took(ackFrequency.Length, start, writer);
            case FrameType.ConnectionClose:
            case FrameType.ConnectionCloseApplication:
                if (!ConnectionCloseFrame.TryParse(type, ref reader, out ConnectionCloseFrame connectionClose))
                {
                    return false;
                }

                EchoClose(connectionClose, ref writer);
                return true;
            case FrameType.HandshakeDone:
                HandshakeDoneFrame.Write(ref writer);
                return Took(HandshakeDoneFrame.Length, start, writer);
            case FrameType.ImmediateAck:
                ImmediateAckFrame.Write(ref writer);
                return Took(ImmediateAckFrame.Length, start, writer);
            case FrameType.Datagram:
            case FrameType.DatagramWithLength:
                if (!DatagramFrame.TryParse(type, ref reader, out DatagramFrame datagram))
                {
                    return false;
                }

                bool withLength = type == FrameType.DatagramWithLength;
                DatagramFrame.Write(ref writer, datagram.Data, withLength);
                return Took(DatagramFrame.LengthOf(datagram.Data.Length, withLength), start, writer);
            default:
                throw new InvalidOperationException("a type that the reader must not let through");
        }
    }

    private static bool EchoPath(ulong type, ref WireReader reader, ref WireWriter writer)
    {
        int start = writer.Position;
        switch (type)
        {
            case FrameType.PathAbandon:
                if (!PathAbandonFrame.TryParse(ref reader, out PathAbandonFrame abandon))
                {
                    return false;
                }

                abandon.Write(ref writer);
                return Took(abandon.Length, start, writer);
            case FrameType.PathStatusBackup or FrameType.PathStatusAvailable:
                if (!PathStatusFrame.TryParse(type, ref reader, out PathStatusFrame status))
                {
                    return false;
                }

                status.Write(ref writer);
                return Took(status.Length, start, writer);
            case FrameType.PathNewConnectionId:
                if (!NewConnectionIdFrame.TryParse(type, ref reader, out NewConnectionIdFrame newConnectionId))
                {
                    return false;
                }

                newConnectionId.Write(ref writer);
                return Took(newConnectionId.Length, start, writer);
            case FrameType.PathRetireConnectionId:
                if (!RetireConnectionIdFrame.TryParse(type, ref reader, out RetireConnectionIdFrame retireConnectionId))
                {
                    return false;
                }

                retireConnectionId.Write(ref writer);
                return Took(retireConnectionId.Length, start, writer);
            case FrameType.MaxPathId:
                if (!MaxPathIdFrame.TryParse(ref reader, out MaxPathIdFrame maxPathId))
                {
                    return false;
                }

                maxPathId.Write(ref writer);
                return Took(maxPathId.Length, start, writer);
            case FrameType.PathsBlocked:
                if (!PathsBlockedFrame.TryParse(ref reader, out PathsBlockedFrame pathsBlocked))
                {
                    return false;
                }

                pathsBlocked.Write(ref writer);
                return Took(pathsBlocked.Length, start, writer);
            case FrameType.PathConnectionIdsBlocked:
                if (!PathConnectionIdsBlockedFrame.TryParse(ref reader, out PathConnectionIdsBlockedFrame idsBlocked))
                {
                    return false;
                }

                idsBlocked.Write(ref writer);
                return Took(idsBlocked.Length, start, writer);
            default:
                throw new InvalidOperationException("a type that the reader must not let through");
        }
    }

    private static void EchoClose(scoped ConnectionCloseFrame frame, ref WireWriter writer)
    {
        if (frame.IsApplication)
        {
            ConnectionCloseFrame.WriteApplication(ref writer, frame.ErrorCode, frame.Reason);
        }
        else
        {
            ConnectionCloseFrame.WriteTransport(ref writer, frame.ErrorCode, frame.FrameType, frame.Reason);
        }
    }

    /// <summary>Every frame says beforehand how long it will be; the packet builder relies on it.</summary>
    private static bool Took(int length, int start, in WireWriter writer)
    {
        Require(writer.Position - start == length);
        return true;
    }

    private static void Require(bool condition)
    {
        if (!condition)
        {
            throw new InvalidOperationException("a frame does not come back as it was read");
        }
    }
}
