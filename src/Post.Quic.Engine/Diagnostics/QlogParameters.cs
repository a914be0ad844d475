using System.Text.Json;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>Writes transport parameters as the fields of qlog's parameters_set.</summary>
internal static class QlogParameters
{
    public static void Write(Utf8JsonWriter json, TransportParameters parameters)
    {
        if (parameters.OriginalDestinationConnectionId is { } original)
        {
            json.WriteString("original_destination_connection_id"u8, original.ToString());
        }

        if (parameters.InitialSourceConnectionId is { } source)
        {
            json.WriteString("initial_source_connection_id"u8, source.ToString());
        }

        if (parameters.RetrySourceConnectionId is { } retry)
        {
            json.WriteString("retry_source_connection_id"u8, retry.ToString());
        }

        json.WriteBoolean("disable_active_migration"u8, parameters.DisableActiveMigration);
        json.WriteNumber("max_idle_timeout"u8, parameters.MaxIdleTimeout);
        json.WriteNumber("max_udp_payload_size"u8, parameters.MaxUdpPayloadSize);
        json.WriteNumber("ack_delay_exponent"u8, parameters.AckDelayExponent);
        json.WriteNumber("max_ack_delay"u8, parameters.MaxAckDelay);
        json.WriteNumber("active_connection_id_limit"u8, parameters.ActiveConnectionIdLimit);
        json.WriteNumber("initial_max_data"u8, parameters.InitialMaxData);
        json.WriteNumber("initial_max_stream_data_bidi_local"u8, parameters.InitialMaxStreamDataBidirectionalLocal);
        json.WriteNumber("initial_max_stream_data_bidi_remote"u8, parameters.InitialMaxStreamDataBidirectionalRemote);
        json.WriteNumber("initial_max_stream_data_uni"u8, parameters.InitialMaxStreamDataUnidirectional);
        json.WriteNumber("initial_max_streams_bidi"u8, parameters.InitialMaxStreamsBidirectional);
        json.WriteNumber("initial_max_streams_uni"u8, parameters.InitialMaxStreamsUnidirectional);
        if (parameters.PreferredAddress is { } preferred)
        {
            WritePreferred(json, preferred);
        }

        json.WriteNumber("max_datagram_frame_size"u8, parameters.MaxDatagramFrameSize);
        json.WriteBoolean("grease_quic_bit"u8, parameters.GreaseQuicBit);
        json.WriteBoolean("reset_stream_at"u8, parameters.ResetStreamAt);
        if (parameters.MinAckDelay is { } minAckDelay)
        {
            json.WriteNumber("min_ack_delay"u8, minAckDelay);
        }

        if (parameters.InitialMaxPathId is { } maxPathId)
        {
            json.WriteNumber("initial_max_path_id"u8, maxPathId);
        }
    }

    public static void WriteAddress(Utf8JsonWriter json, in NetworkAddress address)
    {
        if (address.IsNone)
        {
            return;
        }

        System.Net.IPEndPoint endPoint = address.ToEndPoint();
        json.WriteString(address.IsIPv4 ? "ip_v4"u8 : "ip_v6"u8, endPoint.Address.ToString());
        json.WriteNumber(address.IsIPv4 ? "port_v4"u8 : "port_v6"u8, endPoint.Port);
    }

    private static void WritePreferred(Utf8JsonWriter json, PreferredAddress preferred)
    {
        // Without its reset token, for the same reason as in NEW_CONNECTION_ID.
        json.WriteStartObject("preferred_address"u8);
        WriteAddress(json, preferred.IPv4);
        WriteAddress(json, preferred.IPv6);
        json.WriteString("connection_id"u8, preferred.ConnectionId.ToString());
        json.WriteEndObject();
    }
}
