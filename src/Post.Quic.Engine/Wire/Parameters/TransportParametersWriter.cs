using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine.Wire.Parameters;

/// <summary>Writes the quic_transport_parameters extension (RFC 9000 section 18).</summary>
internal static class TransportParametersWriter
{
    /// <summary>No parameters that we write are longer, a few offered versions included.</summary>
    public const int MaxLength = 512;

    private const int MaxReservedLength = 16;

    /// <summary>
    /// Writes what differs from the defaults and one reserved parameter (RFC 9000 section 18.1). A client leaves unset what
    /// only a server may send.
    /// </summary>
    public static void Write(ref WireWriter writer, TransportParameters parameters, RandomSource random)
    {
        WriteConnectionId(
            ref writer,
            TransportParameterId.OriginalDestinationConnectionId,
            parameters.OriginalDestinationConnectionId);
        WriteNumber(ref writer, TransportParameterId.MaxIdleTimeout, parameters.MaxIdleTimeout, 0);
        if (parameters.StatelessResetToken is { } token)
        {
            writer.WriteVarInt(TransportParameterId.StatelessResetToken);
            writer.WriteVarBytes(token.Span);
        }

        WriteNumber(
            ref writer,
            TransportParameterId.MaxUdpPayloadSize,
            parameters.MaxUdpPayloadSize,
            TransportParameters.DefaultMaxUdpPayloadSize);
        WriteFlowControl(ref writer, parameters);
        WriteNumber(
            ref writer,
            TransportParameterId.AckDelayExponent,
            (ulong)parameters.AckDelayExponent,
            TransportParameters.DefaultAckDelayExponent);
        WriteNumber(
            ref writer,
            TransportParameterId.MaxAckDelay,
            parameters.MaxAckDelay,
            TransportParameters.DefaultMaxAckDelay);
        WriteFlag(ref writer, TransportParameterId.DisableActiveMigration, parameters.DisableActiveMigration);
        if (parameters.PreferredAddress is { } address)
        {
            writer.WriteVarInt(TransportParameterId.PreferredAddress);
            address.Write(ref writer);
        }

        WriteNumber(
            ref writer,
            TransportParameterId.ActiveConnectionIdLimit,
            parameters.ActiveConnectionIdLimit,
            TransportParameters.DefaultActiveConnectionIdLimit);
        WriteConnectionId(
            ref writer,
            TransportParameterId.InitialSourceConnectionId,
            parameters.InitialSourceConnectionId);
        WriteConnectionId(
            ref writer,
            TransportParameterId.RetrySourceConnectionId,
            parameters.RetrySourceConnectionId);
        WriteExtensions(ref writer, parameters);
        WriteReserved(ref writer, random);
    }

    private static void WriteFlowControl(ref WireWriter writer, TransportParameters parameters)
    {
        WriteNumber(ref writer, TransportParameterId.InitialMaxData, parameters.InitialMaxData, 0);
        WriteNumber(
            ref writer,
            TransportParameterId.InitialMaxStreamDataBidirectionalLocal,
            parameters.InitialMaxStreamDataBidirectionalLocal,
            0);
        WriteNumber(
            ref writer,
            TransportParameterId.InitialMaxStreamDataBidirectionalRemote,
            parameters.InitialMaxStreamDataBidirectionalRemote,
            0);
        WriteNumber(
            ref writer,
            TransportParameterId.InitialMaxStreamDataUnidirectional,
            parameters.InitialMaxStreamDataUnidirectional,
            0);
        WriteNumber(
            ref writer,
            TransportParameterId.InitialMaxStreamsBidirectional,
            parameters.InitialMaxStreamsBidirectional,
            0);
        WriteNumber(
            ref writer,
            TransportParameterId.InitialMaxStreamsUnidirectional,
            parameters.InitialMaxStreamsUnidirectional,
            0);
    }

    private static void WriteExtensions(ref WireWriter writer, TransportParameters parameters)
    {
        if (parameters.VersionInformation is { } information)
        {
            writer.WriteVarInt(TransportParameterId.VersionInformation);
            information.Write(ref writer);
        }

        WriteNumber(ref writer, TransportParameterId.MaxDatagramFrameSize, parameters.MaxDatagramFrameSize, 0);
        WriteFlag(ref writer, TransportParameterId.GreaseQuicBit, parameters.GreaseQuicBit);
        WriteFlag(ref writer, TransportParameterId.ResetStreamAt, parameters.ResetStreamAt);
        WriteFlag(ref writer, TransportParameterId.ResetStreamAtDraft, parameters.ResetStreamAt);
        if (parameters.MinAckDelay is { } minAckDelay)
        {
            WriteNumber(ref writer, TransportParameterId.MinAckDelay, minAckDelay);
        }

        if (parameters.InitialMaxPathId is { } maxPathId)
        {
            WriteNumber(ref writer, TransportParameterId.InitialMaxPathId, maxPathId);
        }
    }

    private static void WriteReserved(ref WireWriter writer, RandomSource random)
    {
        Span<byte> content = stackalloc byte[MaxReservedLength];
        random.Fill(content);

        // Up to four bytes of id: more would cost room in the first flight and prove nothing more.
        writer.WriteVarInt(TransportParameterId.Reserved(random.NextUInt64(1 << 24)));
        writer.WriteVarBytes(content[..random.NextInt32(MaxReservedLength + 1)]);
    }

    private static void WriteNumber(ref WireWriter writer, ulong id, ulong value, ulong absent)
    {
        if (value != absent)
        {
            WriteNumber(ref writer, id, value);
        }
    }

    private static void WriteNumber(ref WireWriter writer, ulong id, ulong value)
    {
        writer.WriteVarInt(id);
        writer.WriteVarInt((ulong)VarInt.Length(value));
        writer.WriteVarInt(value);
    }

    private static void WriteFlag(ref WireWriter writer, ulong id, bool value)
    {
        if (value)
        {
            writer.WriteVarInt(id);
            writer.WriteVarInt(0);
        }
    }

    private static void WriteConnectionId(ref WireWriter writer, ulong id, ConnectionId? connectionId)
    {
        if (connectionId is { } value)
        {
            writer.WriteVarInt(id);
            writer.WriteVarBytes(value.Span);
        }
    }
}
