namespace Post.Quic.Engine.Wire.Parameters;

/// <summary>The ids of transport parameters (RFC 9000 section 18.2, and the extensions named below).</summary>
internal static class TransportParameterId
{
    public const ulong OriginalDestinationConnectionId = 0x00;
    public const ulong MaxIdleTimeout = 0x01;
    public const ulong StatelessResetToken = 0x02;
    public const ulong MaxUdpPayloadSize = 0x03;
    public const ulong InitialMaxData = 0x04;
    public const ulong InitialMaxStreamDataBidirectionalLocal = 0x05;
    public const ulong InitialMaxStreamDataBidirectionalRemote = 0x06;
    public const ulong InitialMaxStreamDataUnidirectional = 0x07;
    public const ulong InitialMaxStreamsBidirectional = 0x08;
    public const ulong InitialMaxStreamsUnidirectional = 0x09;
    public const ulong AckDelayExponent = 0x0a;
    public const ulong MaxAckDelay = 0x0b;
    public const ulong DisableActiveMigration = 0x0c;
    public const ulong PreferredAddress = 0x0d;
    public const ulong ActiveConnectionIdLimit = 0x0e;
    public const ulong InitialSourceConnectionId = 0x0f;
    public const ulong RetrySourceConnectionId = 0x10;

    /// <summary>RFC 9368.</summary>
    public const ulong VersionInformation = 0x11;

    /// <summary>draft-ietf-quic-reliable-stream-reset, from its version 9 on.</summary>
    public const ulong ResetStreamAt = 0x1d;

    /// <summary>RFC 9221.</summary>
    public const ulong MaxDatagramFrameSize = 0x20;

    /// <summary>draft-ietf-quic-multipath.</summary>
    public const ulong InitialMaxPathId = 0x3e;

    /// <summary>RFC 9287.</summary>
    public const ulong GreaseQuicBit = 0x2ab2;

    /// <summary>draft-ietf-quic-ack-frequency.</summary>
    public const ulong MinAckDelay = 0xff04de1b;

    /// <summary>
    /// draft-ietf-quic-reliable-stream-reset versions 7 and 8, with the same frame and meaning: what is deployed still
    /// says this one.
    /// </summary>
    public const ulong ResetStreamAtDraft = 0x17f7586d2cb571;

    /// <summary>RFC 9000 section 18.1: never a parameter, so sent to keep peers ignoring what they do not know.</summary>
    public static ulong Reserved(ulong n) => (31 * n) + 27;
}
