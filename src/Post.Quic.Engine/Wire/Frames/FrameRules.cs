namespace Post.Quic.Engine.Wire.Frames;

/// <summary>Which frame may stand in which packet, and what it means for that packet (RFC 9000 section 12.4, table 3).</summary>
internal static class FrameRules
{
    private const FrameRule Everywhere =
        FrameRule.InInitial | FrameRule.InHandshake | FrameRule.InEarlyData | FrameRule.InApplication;

    private const FrameRule Data = FrameRule.InEarlyData | FrameRule.InApplication | Counted;

    private const FrameRule Counted = FrameRule.AckEliciting | FrameRule.InFlight;

    private const FrameRule NotInEarlyData = FrameRule.InInitial | FrameRule.InHandshake | FrameRule.InApplication;

    /// <summary>Indexed by type; types beyond it are extensions and looked up by hand.</summary>
    private static ReadOnlySpan<FrameRule> Table =>
    [
        Everywhere | FrameRule.InFlight | FrameRule.Probing, // PADDING
        Everywhere | Counted, // PING
        NotInEarlyData, // ACK
        NotInEarlyData, // ACK with ECN counts
        Data, // RESET_STREAM
        Data, // STOP_SENDING
        NotInEarlyData | Counted, // CRYPTO
        FrameRule.InApplication | Counted | FrameRule.ServerOnly, // NEW_TOKEN
        Data, Data, Data, Data, Data, Data, Data, Data, // STREAM
        Data, // MAX_DATA
        Data, // MAX_STREAM_DATA
        Data, // MAX_STREAMS, bidirectional
        Data, // MAX_STREAMS, unidirectional
        Data, // DATA_BLOCKED
        Data, // STREAM_DATA_BLOCKED
        Data, // STREAMS_BLOCKED, bidirectional
        Data, // STREAMS_BLOCKED, unidirectional
        Data | FrameRule.Probing, // NEW_CONNECTION_ID

        // RETIRE_CONNECTION_ID. The table allows it in 0-RTT, but RFC 9000 section 12.5 says that it cannot be sent
        // there (a client has been given nothing to retire yet) and lets a server refuse it.
        FrameRule.InApplication | Counted,
        Data | FrameRule.Probing, // PATH_CHALLENGE
        FrameRule.InApplication | Counted | FrameRule.Probing, // PATH_RESPONSE
        Everywhere, // CONNECTION_CLOSE of the transport
        FrameRule.InEarlyData | FrameRule.InApplication, // CONNECTION_CLOSE of the application
        FrameRule.InApplication | Counted | FrameRule.ServerOnly, // HANDSHAKE_DONE

        // IMMEDIATE_ACK. min_ack_delay is not remembered for 0-RTT, so nobody may send it there.
        FrameRule.InApplication | Counted,
    ];

    /// <summary>What is known of a type; <see cref="FrameRule.None"/> for an unknown one.</summary>
    public static FrameRule For(ulong type)
    {
        if (type < (ulong)Table.Length)
        {
            return Table[(int)type];
        }

        return type switch
        {
            FrameType.ResetStreamAt => Data,
            FrameType.Datagram or FrameType.DatagramWithLength => Data,
            FrameType.AckFrequency => FrameRule.InApplication | Counted,

            // draft-ietf-quic-multipath section 4: in 1-RTT packets only. None of them probes: RFC 9000 section 9.1 lists
            // the frames that do, and the draft adds none.
            FrameType.PathAck or FrameType.PathAckEcn => FrameRule.InApplication,
            >= FrameType.PathAbandon and <= FrameType.PathConnectionIdsBlocked => FrameRule.InApplication | Counted,
            _ => FrameRule.None,
        };
    }

    public static bool IsAckEliciting(ulong type) => (For(type) & FrameRule.AckEliciting) != 0;

    public static bool IsInFlight(ulong type) => (For(type) & FrameRule.InFlight) != 0;

    public static bool IsProbing(ulong type) => (For(type) & FrameRule.Probing) != 0;

    public static bool IsAllowedIn(ulong type, EncryptionLevel level) => (For(type) & At(level)) != 0;

    /// <summary>What a received frame of this type does wrong by being there at all.</summary>
    public static TransportError Check(ulong type, EncryptionLevel level, bool fromServer, FrameExtensions extensions)
    {
        FrameRule rule = For(type);

        // RFC 9000 section 12.4: a frame of unknown type is FRAME_ENCODING_ERROR. A frame of an extension that we did
        // not offer is unknown.
        if (rule == FrameRule.None || !IsOffered(type, extensions))
        {
            // RFC 9221 section 3: a DATAGRAM frame not asked for is PROTOCOL_VIOLATION.
            return type is FrameType.Datagram or FrameType.DatagramWithLength
                ? new TransportError(TransportErrorCode.ProtocolViolation, "DATAGRAM was not negotiated", type)
                : new TransportError(TransportErrorCode.FrameEncodingError, "unknown frame type", type);
        }

        // RFC 9000 section 12.4: a frame in a packet type that does not permit it is PROTOCOL_VIOLATION.
        if ((rule & At(level)) == 0)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "frame not permitted in this packet", type);
        }

        // RFC 9000 sections 19.7 and 19.20: a server that receives NEW_TOKEN or HANDSHAKE_DONE: PROTOCOL_VIOLATION.
        if (!fromServer && (rule & FrameRule.ServerOnly) != 0)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "frame only a server may send", type);
        }

        return TransportError.None;
    }

    private static bool IsOffered(ulong type, FrameExtensions extensions) => type switch
    {
        FrameType.Datagram or FrameType.DatagramWithLength => (extensions & FrameExtensions.Datagram) != 0,
        FrameType.ResetStreamAt => (extensions & FrameExtensions.ResetStreamAt) != 0,
        FrameType.AckFrequency or FrameType.ImmediateAck => (extensions & FrameExtensions.AckFrequency) != 0,
        FrameType.PathAck or FrameType.PathAckEcn or (>= FrameType.PathAbandon and <= FrameType.PathConnectionIdsBlocked) =>
            (extensions & FrameExtensions.Multipath) != 0,
        _ => true,
    };

    private static FrameRule At(EncryptionLevel level) => (FrameRule)(1 << LevelBit(level));

    private static int LevelBit(EncryptionLevel level) => level switch
    {
        EncryptionLevel.Initial => 0,
        EncryptionLevel.Handshake => 1,
        EncryptionLevel.EarlyData => 2,
        _ => 3,
    };
}
