namespace Post.Quic.Engine.Wire.Parameters;

/// <summary>
/// What of a server's parameters holds for 0-RTT in a later connection (RFC 9000 section 7.4.1, RFC 9221 section 3,
/// draft-ietf-quic-reliable-stream-reset section 3); not initial_max_path_id (draft-ietf-quic-multipath section 2.1). The client
/// takes it from the parameters that it keeps with its ticket; the server keeps what is written here within the ticket.
/// </summary>
internal readonly record struct RememberedParameters
{
    /// <summary>What <see cref="Write"/> writes at most.</summary>
    public const int MaxLength = 2 + (11 * VarInt.MaxLength);

    /// <summary>Of what is written: whoever reads another one forgets it.</summary>
    private const byte Format = 1;

    private const byte ResetStreamAtFlag = 1 << 0;

    private const byte DisableActiveMigrationFlag = 1 << 1;

    public RememberedParameters(TransportParameters parameters)
    {
        MaxIdleTimeout = parameters.MaxIdleTimeout;
        MaxUdpPayloadSize = parameters.MaxUdpPayloadSize;
        ActiveConnectionIdLimit = parameters.ActiveConnectionIdLimit;
        InitialMaxData = parameters.InitialMaxData;
        InitialMaxStreamDataBidirectionalLocal = parameters.InitialMaxStreamDataBidirectionalLocal;
        InitialMaxStreamDataBidirectionalRemote = parameters.InitialMaxStreamDataBidirectionalRemote;
        InitialMaxStreamDataUnidirectional = parameters.InitialMaxStreamDataUnidirectional;
        InitialMaxStreamsBidirectional = parameters.InitialMaxStreamsBidirectional;
        InitialMaxStreamsUnidirectional = parameters.InitialMaxStreamsUnidirectional;
        MaxDatagramFrameSize = parameters.MaxDatagramFrameSize;
        ResetStreamAt = parameters.ResetStreamAt;
        DisableActiveMigration = parameters.DisableActiveMigration;
    }

    public ulong MaxIdleTimeout { get; private init; }

    public ulong MaxUdpPayloadSize { get; private init; }

    public ulong ActiveConnectionIdLimit { get; private init; }

    public ulong InitialMaxData { get; private init; }

    public ulong InitialMaxStreamDataBidirectionalLocal { get; private init; }

    public ulong InitialMaxStreamDataBidirectionalRemote { get; private init; }

    public ulong InitialMaxStreamDataUnidirectional { get; private init; }

    public ulong InitialMaxStreamsBidirectional { get; private init; }

    public ulong InitialMaxStreamsUnidirectional { get; private init; }

    public ulong MaxDatagramFrameSize { get; private init; }

    public bool ResetStreamAt { get; private init; }

    public bool DisableActiveMigration { get; private init; }

    public void Write(ref WireWriter writer)
    {
        writer.WriteByte(Format);
        writer.WriteByte((byte)((ResetStreamAt ? ResetStreamAtFlag : 0)
            | (DisableActiveMigration ? DisableActiveMigrationFlag : 0)));
        writer.WriteVarInt(MaxIdleTimeout);
        writer.WriteVarInt(MaxUdpPayloadSize);
        writer.WriteVarInt(ActiveConnectionIdLimit);
        writer.WriteVarInt(InitialMaxData);
        writer.WriteVarInt(InitialMaxStreamDataBidirectionalLocal);
        writer.WriteVarInt(InitialMaxStreamDataBidirectionalRemote);
        writer.WriteVarInt(InitialMaxStreamDataUnidirectional);
        writer.WriteVarInt(InitialMaxStreamsBidirectional);
        writer.WriteVarInt(InitialMaxStreamsUnidirectional);
        writer.WriteVarInt(MaxDatagramFrameSize);
    }

    /// <summary>What a client goes by until the server's real parameters come.</summary>
    public TransportParameters ToTransportParameters() => new()
    {
        MaxIdleTimeout = MaxIdleTimeout,
        MaxUdpPayloadSize = MaxUdpPayloadSize,
        ActiveConnectionIdLimit = ActiveConnectionIdLimit,
        InitialMaxData = InitialMaxData,
        InitialMaxStreamDataBidirectionalLocal = InitialMaxStreamDataBidirectionalLocal,
        InitialMaxStreamDataBidirectionalRemote = InitialMaxStreamDataBidirectionalRemote,
        InitialMaxStreamDataUnidirectional = InitialMaxStreamDataUnidirectional,
        InitialMaxStreamsBidirectional = InitialMaxStreamsBidirectional,
        InitialMaxStreamsUnidirectional = InitialMaxStreamsUnidirectional,
        MaxDatagramFrameSize = MaxDatagramFrameSize,
        ResetStreamAt = ResetStreamAt,
        DisableActiveMigration = DisableActiveMigration,
    };

    /// <summary>
    /// Whether 0-RTT data sent under these is within the present ones. A server that would not honour them rejects
    /// 0-RTT. RFC 9000 section 7.4.1 leaves max_idle_timeout, max_udp_payload_size and disable_active_migration out.
    /// </summary>
    public bool AreHonouredBy(TransportParameters present) =>
        present.ActiveConnectionIdLimit >= ActiveConnectionIdLimit
        && present.InitialMaxData >= InitialMaxData
        && present.InitialMaxStreamDataBidirectionalLocal >= InitialMaxStreamDataBidirectionalLocal
        && present.InitialMaxStreamDataBidirectionalRemote >= InitialMaxStreamDataBidirectionalRemote
        && present.InitialMaxStreamDataUnidirectional >= InitialMaxStreamDataUnidirectional
        && present.InitialMaxStreamsBidirectional >= InitialMaxStreamsBidirectional
        && present.InitialMaxStreamsUnidirectional >= InitialMaxStreamsUnidirectional
        && present.MaxDatagramFrameSize >= MaxDatagramFrameSize
        && (present.ResetStreamAt || !ResetStreamAt);

    /// <summary>The client's check when the server has accepted 0-RTT.</summary>
    public TransportError CheckAccepted(TransportParameters present) =>

        // RFC 9000 section 7.4.1, RFC 9221 section 3: a server that accepts 0-RTT must not reduce what it promised.
        AreHonouredBy(present)
            ? TransportError.None
            : new TransportError(TransportErrorCode.ProtocolViolation, "a parameter remembered for 0-RTT was reduced");
}
