using System.Text.Json;
using System.Text.Unicode;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>Writes the frames of a record, as <see cref="QlogPayload"/> left them, as qlog's QuicFrame objects.</summary>
internal static class QlogFrames
{
    private const ulong StreamFinBit = 0x01;
    private const ulong StreamOffsetBit = 0x04;

    public static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> frames, uint padding, int ackDelayExponent)
    {
        json.WriteStartArray("frames"u8);
        var reader = new WireReader(frames);
        while (reader.TryReadVarInt(out ulong type))
        {
            json.WriteStartObject();
            WriteFrame(json, type, ref reader, ackDelayExponent);
            json.WriteEndObject();
        }

        if (padding > 0)
        {
            json.WriteStartObject();
            json.WriteString("frame_type"u8, "padding"u8);
            WritePayloadLength(json, padding);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public static void WriteTransportError(Utf8JsonWriter json, ReadOnlySpan<byte> property, ulong code)
    {
        string? name = QlogNames.TransportError(code);
        json.WriteString(property, name ?? "unknown");
        if (name is null)
        {
            json.WriteNumber("error_code"u8, code);
        }
    }

    private static void WriteFrame(Utf8JsonWriter json, ulong type, ref WireReader reader, int ackDelayExponent)
    {
        switch (type)
        {
            case FrameType.Ping:
                json.WriteString("frame_type"u8, "ping"u8);
                break;
            case FrameType.HandshakeDone:
                json.WriteString("frame_type"u8, "handshake_done"u8);
                break;
            case FrameType.ImmediateAck:
                json.WriteString("frame_type"u8, "immediate_ack"u8);
                break;
            case FrameType.Ack or FrameType.AckEcn or FrameType.PathAck or FrameType.PathAckEcn:
                WriteAck(json, type, ref reader, ackDelayExponent);
                break;
            case FrameType.Crypto:
                json.WriteString("frame_type"u8, "crypto"u8);
                json.WriteNumber("offset"u8, ReadVarInt(ref reader));
                WritePayloadLength(json, ReadVarInt(ref reader));
                break;
            case FrameType.NewToken:
                json.WriteString("frame_type"u8, "new_token"u8);
                json.WriteStartObject("token"u8);
                json.WriteString("type"u8, "resumption"u8);
                WriteLength(json, ReadVarInt(ref reader));
                json.WriteEndObject();
                break;
            case FrameType.DatagramWithLength:
                json.WriteString("frame_type"u8, "datagram"u8);
                WritePayloadLength(json, ReadVarInt(ref reader));
                break;
            case FrameType.ConnectionClose or FrameType.ConnectionCloseApplication:
                WriteClose(json, type, ref reader);
                break;
            case >= FrameType.Stream and <= FrameType.StreamLast:
                WriteStream(json, type, ref reader);
                break;
            case FrameType.AckFrequency:
                WriteAckFrequency(json, ref reader);
                break;
            case FrameType.NewConnectionId or FrameType.RetireConnectionId or FrameType.PathChallenge or FrameType.PathResponse
                or (>= FrameType.PathAbandon and <= FrameType.PathConnectionIdsBlocked):
                QlogPathFrames.Write(json, type, ref reader);
                break;
            default:
                WriteStreamControl(json, type, ref reader);
                break;
        }
    }

    private static void WriteStream(Utf8JsonWriter json, ulong type, ref WireReader reader)
    {
        json.WriteString("frame_type"u8, "stream"u8);
        json.WriteNumber("stream_id"u8, ReadVarInt(ref reader));
        json.WriteNumber("offset"u8, (type & StreamOffsetBit) != 0 ? ReadVarInt(ref reader) : 0);
        if ((type & StreamFinBit) != 0)
        {
            json.WriteBoolean("fin"u8, true);
        }

        WritePayloadLength(json, ReadVarInt(ref reader));
    }

    private static void WriteAck(Utf8JsonWriter json, ulong type, ref WireReader reader, int ackDelayExponent)
    {
        json.WriteString("frame_type"u8, type is FrameType.PathAck or FrameType.PathAckEcn ? "path_ack"u8 : "ack"u8);
        if (!AckFrame.TryParse(type, ref reader, out AckFrame ack))
        {
            return;
        }

        if (ack.PathId is { } pathId)
        {
            json.WriteNumber("path_id"u8, pathId);
        }

        json.WriteNumber("ack_delay"u8, ack.AckDelay * (double)(1UL << ackDelayExponent) / 1000);
        json.WriteStartArray("acked_ranges"u8);
        foreach (PacketNumberRange range in ack)
        {
            json.WriteStartArray();
            json.WriteNumberValue(range.Smallest);
            if (range.Largest != range.Smallest)
            {
                json.WriteNumberValue(range.Largest);
            }

            json.WriteEndArray();
        }

        json.WriteEndArray();
        if (ack.HasEcnCounts)
        {
            json.WriteNumber("ect0"u8, ack.EcnCounts.Ect0);
            json.WriteNumber("ect1"u8, ack.EcnCounts.Ect1);
            json.WriteNumber("ce"u8, ack.EcnCounts.Ce);
        }
    }

    private static void WriteAckFrequency(Utf8JsonWriter json, ref WireReader reader)
    {
        json.WriteString("frame_type"u8, "ack_frequency"u8);
        if (AckFrequencyFrame.TryParse(ref reader, out AckFrequencyFrame frame))
        {
            json.WriteNumber("sequence_number"u8, frame.SequenceNumber);
            json.WriteNumber("ack_eliciting_threshold"u8, frame.AckElicitingThreshold);
            json.WriteNumber("requested_max_ack_delay"u8, frame.RequestedMaxAckDelay / 1000.0);
            json.WriteNumber("reordering_threshold"u8, frame.ReorderingThreshold);
        }
    }

    private static void WriteClose(Utf8JsonWriter json, ulong type, ref WireReader reader)
    {
        json.WriteString("frame_type"u8, "connection_close"u8);
        if (!ConnectionCloseFrame.TryParse(type, ref reader, out ConnectionCloseFrame close))
        {
            return;
        }

        if (close.IsApplication)
        {
            json.WriteString("error_space"u8, "application"u8);
            WriteApplicationError(json, "error"u8, close.ErrorCode);
        }
        else
        {
            json.WriteString("error_space"u8, "transport"u8);
            WriteTransportError(json, "error"u8, close.ErrorCode);
            if (close.FrameType != 0)
            {
                json.WriteNumber("trigger_frame_type"u8, close.FrameType);
            }
        }

        WriteReason(json, close.Reason);
    }

    /// <summary>The peer's text as text only where it is: a JSON file with broken UTF-8 can be read by nobody.</summary>
    private static void WriteReason(Utf8JsonWriter json, ReadOnlySpan<byte> reason)
    {
        if (reason.IsEmpty)
        {
            return;
        }

        if (Utf8.IsValid(reason))
        {
            json.WriteString("reason"u8, reason);
        }
        else
        {
            json.WriteString("reason_bytes"u8, Convert.ToHexStringLower(reason));
        }
    }

    private static void WriteStreamControl(Utf8JsonWriter json, ulong type, ref WireReader reader)
    {
        switch (type)
        {
            case FrameType.ResetStream or FrameType.ResetStreamAt:
                json.WriteString("frame_type"u8, type == FrameType.ResetStream ? "reset_stream"u8 : "reset_stream_at"u8);
                json.WriteNumber("stream_id"u8, ReadVarInt(ref reader));
                WriteApplicationError(json, "error"u8, ReadVarInt(ref reader));
                json.WriteNumber("final_size"u8, ReadVarInt(ref reader));
                if (type == FrameType.ResetStreamAt)
                {
                    json.WriteNumber("reliable_size"u8, ReadVarInt(ref reader));
                }

                break;
            case FrameType.StopSending:
                json.WriteString("frame_type"u8, "stop_sending"u8);
                json.WriteNumber("stream_id"u8, ReadVarInt(ref reader));
                WriteApplicationError(json, "error"u8, ReadVarInt(ref reader));
                break;
            case FrameType.MaxData:
                WriteLimit(json, "max_data"u8, "maximum"u8, ref reader);
                break;
            case FrameType.MaxStreamData:
                WriteStreamLimit(json, "max_stream_data"u8, "maximum"u8, ref reader);
                break;
            case FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional:
                WriteStreamType(json, type == FrameType.MaxStreamsBidirectional);
                WriteLimit(json, "max_streams"u8, "maximum"u8, ref reader);
                break;
            case FrameType.DataBlocked:
                WriteLimit(json, "data_blocked"u8, "limit"u8, ref reader);
                break;
            case FrameType.StreamDataBlocked:
                WriteStreamLimit(json, "stream_data_blocked"u8, "limit"u8, ref reader);
                break;
            case FrameType.StreamsBlockedBidirectional or FrameType.StreamsBlockedUnidirectional:
                WriteStreamType(json, type == FrameType.StreamsBlockedBidirectional);
                WriteLimit(json, "streams_blocked"u8, "limit"u8, ref reader);
                break;
            default:
                json.WriteString("frame_type"u8, "unknown"u8);
                json.WriteNumber("frame_type_bytes"u8, type);
                break;
        }
    }

    private static void WriteApplicationError(Utf8JsonWriter json, ReadOnlySpan<byte> property, ulong code)
    {
        json.WriteString(property, "unknown"u8);
        json.WriteNumber("error_code"u8, code);
    }

    private static void WriteLimit(
        Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> property, ref WireReader reader)
    {
        json.WriteString("frame_type"u8, name);
        json.WriteNumber(property, ReadVarInt(ref reader));
    }

    private static void WriteStreamLimit(
        Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlySpan<byte> property, ref WireReader reader)
    {
        json.WriteNumber("stream_id"u8, ReadVarInt(ref reader));
        WriteLimit(json, name, property, ref reader);
    }

    private static void WriteStreamType(Utf8JsonWriter json, bool bidirectional) =>
        json.WriteString("stream_type"u8, bidirectional ? "bidirectional"u8 : "unidirectional"u8);

    private static void WritePayloadLength(Utf8JsonWriter json, ulong length)
    {
        json.WriteStartObject("raw"u8);
        json.WriteNumber("payload_length"u8, length);
        json.WriteEndObject();
    }

    private static void WriteLength(Utf8JsonWriter json, ulong length)
    {
        json.WriteStartObject("raw"u8);
        json.WriteNumber("length"u8, length);
        json.WriteEndObject();
    }

    private static ulong ReadVarInt(ref WireReader reader)
    {
        _ = reader.TryReadVarInt(out ulong value);
        return value;
    }
}
