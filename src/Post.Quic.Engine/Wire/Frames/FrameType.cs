namespace Post.Quic.Engine.Wire.Frames;

/// <summary>The frame types this engine knows (RFC 9000 section 19, and the extensions named below).</summary>
internal static class FrameType
{
    public const ulong Padding = 0x00;
    public const ulong Ping = 0x01;
    public const ulong Ack = 0x02;
    public const ulong AckEcn = 0x03;
    public const ulong ResetStream = 0x04;
    public const ulong StopSending = 0x05;
    public const ulong Crypto = 0x06;
    public const ulong NewToken = 0x07;

    /// <summary>The first of eight: the low three bits are OFF, LEN and FIN (RFC 9000 section 19.8).</summary>
    public const ulong Stream = 0x08;
    public const ulong StreamLast = 0x0f;
    public const ulong MaxData = 0x10;
    public const ulong MaxStreamData = 0x11;
    public const ulong MaxStreamsBidirectional = 0x12;
    public const ulong MaxStreamsUnidirectional = 0x13;
    public const ulong DataBlocked = 0x14;
    public const ulong StreamDataBlocked = 0x15;
    public const ulong StreamsBlockedBidirectional = 0x16;
    public const ulong StreamsBlockedUnidirectional = 0x17;
    public const ulong NewConnectionId = 0x18;
    public const ulong RetireConnectionId = 0x19;
    public const ulong PathChallenge = 0x1a;
    public const ulong PathResponse = 0x1b;
    public const ulong ConnectionClose = 0x1c;
    public const ulong ConnectionCloseApplication = 0x1d;
    public const ulong HandshakeDone = 0x1e;

    /// <summary>draft-ietf-quic-ack-frequency.</summary>
    public const ulong ImmediateAck = 0x1f;

    /// <summary>draft-ietf-quic-reliable-stream-reset.</summary>
    public const ulong ResetStreamAt = 0x24;

    /// <summary>RFC 9221: without a length, so to the end of the packet.</summary>
    public const ulong Datagram = 0x30;
    public const ulong DatagramWithLength = 0x31;

    /// <summary>draft-ietf-quic-multipath, as all that begin with Path or with Max and Path.</summary>
    public const ulong PathAck = 0x3e;
    public const ulong PathAckEcn = 0x3f;

    /// <summary>draft-ietf-quic-ack-frequency.</summary>
    public const ulong AckFrequency = 0xaf;

    public const ulong PathAbandon = 0x3e75;
    public const ulong PathStatusBackup = 0x3e76;
    public const ulong PathStatusAvailable = 0x3e77;
    public const ulong PathNewConnectionId = 0x3e78;
    public const ulong PathRetireConnectionId = 0x3e79;
    public const ulong MaxPathId = 0x3e7a;
    public const ulong PathsBlocked = 0x3e7b;
    public const ulong PathConnectionIdsBlocked = 0x3e7c;

    public static bool IsStream(ulong type) => type is >= Stream and <= StreamLast;
}
