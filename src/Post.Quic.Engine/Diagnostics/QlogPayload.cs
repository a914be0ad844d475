using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// Copies the frames of a packet without what they carry: application data, CRYPTO data and tokens are left out and
/// only their lengths kept. So a record is small, and no secret waits in a buffer to be written to a file.
/// </summary>
internal static class QlogPayload
{
    /// <summary>
    /// Room that a copy needs beyond the payload's size: a frame without a length gets one, and no frame is begun unless
    /// the longest header fits.
    /// </summary>
    public const int MaxGrowth = 32;

    /// <summary>Bytes kept of the reason in a CONNECTION_CLOSE.</summary>
    public const int MaxReason = 256;

    private const int MaxHeader = 1 + VarInt.MaxLength + VarInt.MaxLength + VarInt.MaxLength;

    /// <summary>
    /// Writes the frames as far as they can be read and as there is room. False where some are left out. The padding of
    /// the packet is counted and not written.
    /// </summary>
    public static bool TryCopy(
        ReadOnlySpan<byte> payload, EncryptionLevel level, bool fromServer, ref WireWriter writer, out int padding)
    {
        const FrameExtensions All =
            FrameExtensions.Datagram | FrameExtensions.ResetStreamAt | FrameExtensions.AckFrequency | FrameExtensions.Multipath;
        var reader = new FrameReader(payload, level, fromServer, All);
        while (reader.TryReadType(out ulong type))
        {
            if (!TryCopyFrame(type, ref reader.Body, ref writer))
            {
                padding = reader.PaddingLength;
                return false;
            }
        }

        padding = reader.PaddingLength;
        return !reader.Error.IsError;
    }

    private static bool TryCopyFrame(ulong type, ref WireReader body, ref WireWriter writer)
    {
        switch (type)
        {
            case >= FrameType.Stream and <= FrameType.StreamLast:
                if (!StreamFrame.TryParse(type, ref body, out StreamFrame stream) || writer.Remaining < MaxHeader)
                {
                    return false;
                }

                StreamFrame.WriteHeader(ref writer, stream.StreamId, stream.Offset, stream.Data.Length, stream.Fin);
                return true;
            case FrameType.Crypto:
                if (!CryptoFrame.TryParse(ref body, out CryptoFrame crypto) || writer.Remaining < MaxHeader)
                {
                    return false;
                }

                CryptoFrame.WriteHeader(ref writer, crypto.Offset, crypto.Data.Length);
                return true;
            case FrameType.Datagram or FrameType.DatagramWithLength:
                return DatagramFrame.TryParse(type, ref body, out DatagramFrame datagram)
                    && TryWriteLength(FrameType.DatagramWithLength, datagram.Data.Length, ref writer);
            case FrameType.NewToken:
                return NewTokenFrame.TryParse(ref body, out NewTokenFrame token)
                    && TryWriteLength(FrameType.NewToken, token.Token.Length, ref writer);
            case FrameType.ConnectionClose or FrameType.ConnectionCloseApplication:
                return ConnectionCloseFrame.TryParse(type, ref body, out ConnectionCloseFrame close)
                    && TryWriteClose(close, ref writer);
            default:
                return TryCopyWhole(type, ref body, ref writer);
        }
    }

    private static bool TryCopyWhole(ulong type, ref WireReader body, ref WireWriter writer)
    {
        ReadOnlySpan<byte> rest = body.Rest;
        int start = body.Position;
        if (!TrySkip(type, ref body) || writer.Remaining < VarInt.Length(type) + body.Position - start)
        {
            return false;
        }

        writer.WriteVarInt(type);
        writer.WriteBytes(rest[..(body.Position - start)]);
        return true;
    }

    private static bool TrySkip(ulong type, ref WireReader body) => type switch
    {
        FrameType.Ping or FrameType.HandshakeDone or FrameType.ImmediateAck => true,
        FrameType.Ack or FrameType.AckEcn or FrameType.PathAck or FrameType.PathAckEcn => AckFrame.TryParse(type, ref body, out _),
        FrameType.ResetStream => ResetStreamFrame.TryParse(ref body, out _),
        FrameType.ResetStreamAt => ResetStreamAtFrame.TryParse(ref body, out _),
        FrameType.StopSending => StopSendingFrame.TryParse(ref body, out _),
        FrameType.MaxData => MaxDataFrame.TryParse(ref body, out _),
        FrameType.MaxStreamData => MaxStreamDataFrame.TryParse(ref body, out _),
        FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional => MaxStreamsFrame.TryParse(type, ref body, out _),
        FrameType.DataBlocked => DataBlockedFrame.TryParse(ref body, out _),
        FrameType.StreamDataBlocked => StreamDataBlockedFrame.TryParse(ref body, out _),
        FrameType.StreamsBlockedBidirectional or FrameType.StreamsBlockedUnidirectional =>
            StreamsBlockedFrame.TryParse(type, ref body, out _),
        FrameType.NewConnectionId or FrameType.PathNewConnectionId => NewConnectionIdFrame.TryParse(type, ref body, out _),
        FrameType.RetireConnectionId or FrameType.PathRetireConnectionId => RetireConnectionIdFrame.TryParse(type, ref body, out _),
        FrameType.PathChallenge => PathChallengeFrame.TryParse(ref body, out _),
        FrameType.PathResponse => PathResponseFrame.TryParse(ref body, out _),
        FrameType.AckFrequency => AckFrequencyFrame.TryParse(ref body, out _),
        FrameType.PathAbandon => PathAbandonFrame.TryParse(ref body, out _),
        FrameType.PathStatusBackup or FrameType.PathStatusAvailable => PathStatusFrame.TryParse(type, ref body, out _),
        FrameType.MaxPathId => MaxPathIdFrame.TryParse(ref body, out _),
        FrameType.PathsBlocked => PathsBlockedFrame.TryParse(ref body, out _),
        FrameType.PathConnectionIdsBlocked => PathConnectionIdsBlockedFrame.TryParse(ref body, out _),
        _ => false,
    };

    private static bool TryWriteLength(ulong type, int length, ref WireWriter writer)
    {
        if (writer.Remaining < MaxHeader)
        {
            return false;
        }

        writer.WriteVarInt(type);
        writer.WriteVarInt((ulong)length);
        return true;
    }

    private static bool TryWriteClose(scoped ConnectionCloseFrame close, ref WireWriter writer)
    {
        ReadOnlySpan<byte> reason = close.Reason[..Math.Min(close.Reason.Length, MaxReason)];
        if (writer.Remaining < MaxHeader + reason.Length)
        {
            return false;
        }

        if (close.IsApplication)
        {
            ConnectionCloseFrame.WriteApplication(ref writer, close.ErrorCode, reason);
        }
        else
        {
            ConnectionCloseFrame.WriteTransport(ref writer, close.ErrorCode, close.FrameType, reason);
        }

        return true;
    }
}
