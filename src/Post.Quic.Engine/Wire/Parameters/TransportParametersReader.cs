using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Wire.Parameters;

/// <summary>Reads the quic_transport_parameters extension (RFC 9000 section 18) and refuses what must not be in it.</summary>
internal static class TransportParametersReader
{
    /// <summary>draft-ietf-quic-ack-frequency section 3: microseconds.</summary>
    private const ulong MinAckDelayLimit = 1UL << 24;

    private const ulong MaxAckDelayLimit = 1UL << 14;

    private const ulong MaxAckDelayExponent = 20;

    private const ulong MaxStreams = 1UL << 60;

    private const int MicrosecondsPerMillisecond = 1000;

    public static TransportError TryParse(
        ReadOnlySpan<byte> extension,
        bool fromServer,
        out TransportParameters? parameters)
    {
        parameters = null;
        var reader = new WireReader(extension);
        var result = new TransportParameters();
        ulong seen = 0;
        int unknown = 0;
        Span<ulong> unknownIds = stackalloc ulong[Limits.UnknownTransportParametersCompared];
        while (!reader.IsEmpty)
        {
            // RFC 9000 section 7.4: malformed parameters are TRANSPORT_PARAMETER_ERROR.
            if (!reader.TryReadVarInt(out ulong id) || !reader.TryReadVarBytes(out ReadOnlySpan<byte> value))
            {
                return Error("truncated transport parameter");
            }

            int bit = Index(id);
            if (bit < 0)
            {
                // RFC 9000 section 7.4.2: parameters that are not understood are ignored.
                if (IsDuplicate(id, unknownIds, unknown))
                {
                    return Error("duplicate transport parameter");
                }

                unknown++;
                continue;
            }

            // RFC 9000 section 7.4: no parameter comes twice.
            if ((seen & (1UL << bit)) != 0)
            {
                return Error("duplicate transport parameter");
            }

            seen |= 1UL << bit;
            if (Read(ref result, id, value, fromServer) is { } reason)
            {
                return Error(reason);
            }
        }

        TransportError error = CheckTogether(result, fromServer);
        if (!error.IsError)
        {
            parameters = unknown == 0 ? result : result with { UnknownCount = unknown };
        }

        return error;
    }

    /// <summary>Takes one parameter over, or says why not.</summary>
    private static string? Read(
        ref TransportParameters result,
        ulong id,
        ReadOnlySpan<byte> value,
        bool fromServer)
    {
        // RFC 9000 section 18.2: original_destination_connection_id, preferred_address, retry_source_connection_id and
        // stateless_reset_token from a client are TRANSPORT_PARAMETER_ERROR.
        if (!fromServer && IsServerOnly(id))
        {
            return "parameter only a server may send";
        }

        return id switch
        {
            TransportParameterId.OriginalDestinationConnectionId
                or TransportParameterId.InitialSourceConnectionId
                or TransportParameterId.RetrySourceConnectionId => ReadConnectionId(ref result, id, value),
            TransportParameterId.DisableActiveMigration
                or TransportParameterId.GreaseQuicBit
                or TransportParameterId.ResetStreamAt
                or TransportParameterId.ResetStreamAtDraft => ReadFlag(ref result, id, value),
            TransportParameterId.StatelessResetToken => ReadResetToken(ref result, value),
            TransportParameterId.PreferredAddress => ReadPreferredAddress(ref result, value),
            TransportParameterId.VersionInformation => ReadVersionInformation(ref result, value, fromServer),
            _ => ReadNumber(ref result, id, value),
        };
    }

    private static string? ReadNumber(ref TransportParameters result, ulong id, ReadOnlySpan<byte> value)
    {
        // RFC 9000 section 18.2: an integer in variable-length form, and nothing behind it.
        if (!VarInt.TryRead(value, out ulong number, out int consumed) || consumed != value.Length)
        {
            return "transport parameter is not an integer";
        }

        if (CheckNumber(id, number) is { } reason)
        {
            return reason;
        }

        result = id switch
        {
            TransportParameterId.MaxIdleTimeout => result with { MaxIdleTimeout = number },
            TransportParameterId.MaxUdpPayloadSize => result with { MaxUdpPayloadSize = number },
            TransportParameterId.InitialMaxData => result with { InitialMaxData = number },
            TransportParameterId.InitialMaxStreamDataBidirectionalLocal =>
                result with { InitialMaxStreamDataBidirectionalLocal = number },
            TransportParameterId.InitialMaxStreamDataBidirectionalRemote =>
                result with { InitialMaxStreamDataBidirectionalRemote = number },
            TransportParameterId.InitialMaxStreamDataUnidirectional =>
                result with { InitialMaxStreamDataUnidirectional = number },
            TransportParameterId.InitialMaxStreamsBidirectional =>
                result with { InitialMaxStreamsBidirectional = number },
            TransportParameterId.InitialMaxStreamsUnidirectional =>
                result with { InitialMaxStreamsUnidirectional = number },
            TransportParameterId.AckDelayExponent => result with { AckDelayExponent = (int)number },
            TransportParameterId.MaxAckDelay => result with { MaxAckDelay = number },
            TransportParameterId.ActiveConnectionIdLimit => result with { ActiveConnectionIdLimit = number },
            TransportParameterId.MaxDatagramFrameSize => result with { MaxDatagramFrameSize = number },
            TransportParameterId.InitialMaxPathId => result with { InitialMaxPathId = (uint)number },
            _ => result with { MinAckDelay = number },
        };
        return null;
    }

    private static string? CheckNumber(ulong id, ulong number) => id switch
    {
        // RFC 9000 section 18.2: values below 1200 are invalid.
        TransportParameterId.MaxUdpPayloadSize when number < TransportParameters.MinUdpPayloadSize =>
            "max_udp_payload_size below 1200",

        // RFC 9000 section 4.6: a limit above 2^60 would allow stream ids that cannot be written.
        TransportParameterId.InitialMaxStreamsBidirectional or TransportParameterId.InitialMaxStreamsUnidirectional
            when number > MaxStreams => "initial_max_streams above 2^60",

        // RFC 9000 section 18.2: values above 20 are invalid.
        TransportParameterId.AckDelayExponent when number > MaxAckDelayExponent => "ack_delay_exponent above 20",

        // RFC 9000 section 18.2: values of 2^14 or greater are invalid.
        TransportParameterId.MaxAckDelay when number >= MaxAckDelayLimit => "max_ack_delay of 2^14 or more",

        // RFC 9000 section 18.2: the value must be at least 2.
        TransportParameterId.ActiveConnectionIdLimit
            when number < TransportParameters.DefaultActiveConnectionIdLimit => "active_connection_id_limit below 2",

        // draft-ietf-quic-ack-frequency section 3: values of 2^24 or greater are invalid.
        TransportParameterId.MinAckDelay when number >= MinAckDelayLimit => "min_ack_delay of 2^24 or more",

        // draft-ietf-quic-multipath section 2.1: a value above 2^32 - 1 is TRANSPORT_PARAMETER_ERROR.
        TransportParameterId.InitialMaxPathId when number > uint.MaxValue => "initial_max_path_id above 2^32 - 1",
        _ => null,
    };

    private static string? ReadConnectionId(ref TransportParameters result, ulong id, ReadOnlySpan<byte> value)
    {
        // RFC 9000 section 17.2: ids of version 1 have at most 20 bytes.
        if (!ConnectionId.TryCreate(value, out ConnectionId connectionId))
        {
            return "connection id above 20 bytes";
        }

        result = id switch
        {
            TransportParameterId.OriginalDestinationConnectionId =>
                result with { OriginalDestinationConnectionId = connectionId },
            TransportParameterId.InitialSourceConnectionId => result with { InitialSourceConnectionId = connectionId },
            _ => result with { RetrySourceConnectionId = connectionId },
        };
        return null;
    }

    private static string? ReadFlag(ref TransportParameters result, ulong id, ReadOnlySpan<byte> value)
    {
        // RFC 9000 section 18.2, RFC 9287 section 3, draft-ietf-quic-reliable-stream-reset section 3: zero length.
        if (!value.IsEmpty)
        {
            return "transport parameter that must be empty is not";
        }

        result = id switch
        {
            TransportParameterId.DisableActiveMigration => result with { DisableActiveMigration = true },
            TransportParameterId.GreaseQuicBit => result with { GreaseQuicBit = true },
            _ => result with { ResetStreamAt = true },
        };
        return null;
    }

    private static string? ReadResetToken(ref TransportParameters result, ReadOnlySpan<byte> value)
    {
        // RFC 9000 section 18.2: a sequence of 16 bytes.
        if (value.Length != StatelessResetToken.Length)
        {
            return "stateless_reset_token is not of 16 bytes";
        }

        result = result with { StatelessResetToken = new StatelessResetToken(value) };
        return null;
    }

    private static string? ReadPreferredAddress(ref TransportParameters result, ReadOnlySpan<byte> value)
    {
        if (!PreferredAddress.TryParse(value, out PreferredAddress? address))
        {
            return "malformed preferred_address";
        }

        result = result with { PreferredAddress = address };
        return null;
    }

    private static string? ReadVersionInformation(
        ref TransportParameters result,
        ReadOnlySpan<byte> value,
        bool fromServer)
    {
        // RFC 9368 section 4: version information that cannot be parsed is TRANSPORT_PARAMETER_ERROR.
        if (!VersionInformation.TryParse(value, fromServer, out VersionInformation? information))
        {
            return "malformed version_information";
        }

        result = result with { VersionInformation = information };
        return null;
    }

    /// <summary>What only all parameters together can show.</summary>
    private static TransportError CheckTogether(TransportParameters parameters, bool fromServer)
    {
        // RFC 9000 section 7.3: absence of initial_source_connection_id from either side, or of
        // original_destination_connection_id from the server, is TRANSPORT_PARAMETER_ERROR.
        if (parameters.InitialSourceConnectionId is not { } source)
        {
            return Error("initial_source_connection_id is missing");
        }

        if (fromServer && parameters.OriginalDestinationConnectionId is null)
        {
            return Error("original_destination_connection_id is missing");
        }

        // RFC 9000 section 18.2: a server with a zero-length connection id provides no preferred address.
        if (parameters.PreferredAddress is not null && source.IsEmpty)
        {
            return Error("preferred_address with an empty connection id");
        }

        // draft-ietf-quic-multipath section 2.1: a connection id of no bytes cannot say which path a packet belongs to; one beside
        // initial_max_path_id is PROTOCOL_VIOLATION.
        if (parameters.InitialMaxPathId is not null && source.IsEmpty)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "initial_max_path_id with an empty connection id");
        }

        // draft-ietf-quic-ack-frequency section 3: min_ack_delay (in microseconds) above max_ack_delay (in
        // milliseconds) is TRANSPORT_PARAMETER_ERROR.
        return parameters.MinAckDelay > parameters.MaxAckDelay * MicrosecondsPerMillisecond
            ? Error("min_ack_delay above max_ack_delay")
            : TransportError.None;
    }

    /// <summary>A number below 64 for what we know, for the set of what was seen; -1 for what we do not know.</summary>
    private static int Index(ulong id) => id switch
    {
        <= TransportParameterId.VersionInformation => (int)id,
        TransportParameterId.ResetStreamAt => 18,
        TransportParameterId.MaxDatagramFrameSize => 19,
        TransportParameterId.GreaseQuicBit => 20,
        TransportParameterId.MinAckDelay => 21,
        TransportParameterId.ResetStreamAtDraft => 22,
        TransportParameterId.InitialMaxPathId => 23,
        _ => -1,
    };

    private static bool IsServerOnly(ulong id) => id is
        TransportParameterId.OriginalDestinationConnectionId
        or TransportParameterId.StatelessResetToken
        or TransportParameterId.PreferredAddress
        or TransportParameterId.RetrySourceConnectionId;

    private static bool IsDuplicate(ulong id, Span<ulong> known, int count)
    {
        int compared = Math.Min(count, known.Length);
        if (known[..compared].Contains(id))
        {
            return true;
        }

        if (compared < known.Length)
        {
            known[compared] = id;
        }

        return false;
    }

    private static TransportError Error(string reason) => new(TransportErrorCode.TransportParameterError, reason);
}
