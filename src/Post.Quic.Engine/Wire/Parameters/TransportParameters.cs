namespace Post.Quic.Engine.Wire.Parameters;

/// <summary>
/// What one side tells the other before the first data (RFC 9000 section 18.2). A value that is absent on the wire
/// has here the meaning that its absence has.
/// </summary>
internal sealed record TransportParameters
{
    public const ulong MinUdpPayloadSize = 1200;
    public const ulong DefaultMaxUdpPayloadSize = 65527;
    public const ulong DefaultAckDelayExponent = 3;
    public const ulong DefaultMaxAckDelay = 25;
    public const ulong DefaultActiveConnectionIdLimit = 2;

    /// <summary>Sent by servers only: the destination id of the client's very first packet.</summary>
    public ConnectionId? OriginalDestinationConnectionId { get; init; }

    /// <summary>Milliseconds; 0 is none.</summary>
    public ulong MaxIdleTimeout { get; init; }

    /// <summary>Sent by servers only, for the id of the handshake.</summary>
    public StatelessResetToken? StatelessResetToken { get; init; }

    /// <summary>Bytes; at least 1200.</summary>
    public ulong MaxUdpPayloadSize { get; init; } = DefaultMaxUdpPayloadSize;

    public ulong InitialMaxData { get; init; }

    /// <summary>For bidirectional streams that the sender of the parameter opens.</summary>
    public ulong InitialMaxStreamDataBidirectionalLocal { get; init; }

    /// <summary>For bidirectional streams that the receiver of the parameter opens.</summary>
    public ulong InitialMaxStreamDataBidirectionalRemote { get; init; }

    public ulong InitialMaxStreamDataUnidirectional { get; init; }

    public ulong InitialMaxStreamsBidirectional { get; init; }

    public ulong InitialMaxStreamsUnidirectional { get; init; }

    /// <summary>The ACK Delay field counts in 2^this microseconds; at most 20.</summary>
    public int AckDelayExponent { get; init; } = (int)DefaultAckDelayExponent;

    /// <summary>Milliseconds, below 2^14.</summary>
    public ulong MaxAckDelay { get; init; } = DefaultMaxAckDelay;

    public bool DisableActiveMigration { get; init; }

    /// <summary>Sent by servers only.</summary>
    public PreferredAddress? PreferredAddress { get; init; }

    /// <summary>At least 2.</summary>
    public ulong ActiveConnectionIdLimit { get; init; } = DefaultActiveConnectionIdLimit;

    public ConnectionId? InitialSourceConnectionId { get; init; }

    /// <summary>Sent by servers only, if a Retry was.</summary>
    public ConnectionId? RetrySourceConnectionId { get; init; }

    public VersionInformation? VersionInformation { get; init; }

    /// <summary>Bytes of a whole DATAGRAM frame; 0 is no support (RFC 9221).</summary>
    public ulong MaxDatagramFrameSize { get; init; }

    public bool GreaseQuicBit { get; init; }

    public bool ResetStreamAt { get; init; }

    /// <summary>Microseconds; absent is no support for ACK_FREQUENCY.</summary>
    public ulong? MinAckDelay { get; init; }

    /// <summary>
    /// The largest path id the peer may use; 0 still changes the nonce of 1-RTT packets; absent is no support for several paths
    /// (draft-ietf-quic-multipath section 2.1).
    /// </summary>
    public uint? InitialMaxPathId { get; init; }

    /// <summary>Unknown parameters that came with these, which mean nothing to us and are of interest to a log.</summary>
    public int UnknownCount { get; init; }

    /// <summary>
    /// RFC 9000 section 7.3: the ids in the parameters, which TLS authenticates, must be those of the packets, which
    /// nobody does. Otherwise somebody between the two took part in the handshake.
    /// </summary>
    /// <param name="initialSource">The source id of the peer's first Initial.</param>
    /// <param name="originalDestination">A client's: the destination id of its first Initial. A server's: null.</param>
    /// <param name="retrySource">A client's: the source id of the Retry it followed, if any.</param>
    public TransportError CheckConnectionIds(
        ConnectionId initialSource,
        ConnectionId? originalDestination,
        ConnectionId? retrySource)
    {
        if (InitialSourceConnectionId != initialSource)
        {
            return Mismatch("initial_source_connection_id is not that of the packets");
        }

        if (originalDestination is { } destination && OriginalDestinationConnectionId != destination)
        {
            return Mismatch("original_destination_connection_id is not that of the first packet");
        }

        return RetrySourceConnectionId == retrySource
            ? TransportError.None
            : Mismatch("retry_source_connection_id does not fit the Retry");
    }

    private static TransportError Mismatch(string reason) => new(TransportErrorCode.TransportParameterError, reason);
}
