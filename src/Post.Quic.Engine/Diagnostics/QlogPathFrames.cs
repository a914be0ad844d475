using System.Text.Json;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// Writes the frames about paths and connection ids as qlog's QuicFrame objects. qlog has no words for those of
/// draft-ietf-quic-multipath yet; they go by their names there.
/// </summary>
internal static class QlogPathFrames
{
    public static void Write(Utf8JsonWriter json, ulong type, ref WireReader reader)
    {
        json.WriteString("frame_type"u8, NameOf(type));
        switch (type)
        {
            case FrameType.NewConnectionId or FrameType.PathNewConnectionId:
                WriteNewConnectionId(json, type, ref reader);
                break;
            case FrameType.RetireConnectionId or FrameType.PathRetireConnectionId
                when RetireConnectionIdFrame.TryParse(type, ref reader, out RetireConnectionIdFrame frame):
                WritePathId(json, frame.PathId);
                json.WriteNumber("sequence_number"u8, frame.SequenceNumber);
                break;
            case FrameType.PathChallenge or FrameType.PathResponse:
                _ = reader.TryReadBytes(sizeof(ulong), out ReadOnlySpan<byte> data);
                json.WriteString("data"u8, Convert.ToHexStringLower(data));
                break;
            case FrameType.PathAbandon when PathAbandonFrame.TryParse(ref reader, out PathAbandonFrame frame):
                WritePathId(json, frame.PathId);
                QlogFrames.WriteTransportError(json, "error"u8, frame.ErrorCode);
                break;
            case FrameType.PathStatusBackup or FrameType.PathStatusAvailable
                when PathStatusFrame.TryParse(type, ref reader, out PathStatusFrame frame):
                WritePathId(json, frame.PathId);
                json.WriteNumber("sequence_number"u8, frame.SequenceNumber);
                break;
            case FrameType.MaxPathId when MaxPathIdFrame.TryParse(ref reader, out MaxPathIdFrame frame):
                json.WriteNumber("maximum"u8, frame.Maximum);
                break;
            case FrameType.PathsBlocked when PathsBlockedFrame.TryParse(ref reader, out PathsBlockedFrame frame):
                json.WriteNumber("limit"u8, frame.Maximum);
                break;
            case FrameType.PathConnectionIdsBlocked
                when PathConnectionIdsBlockedFrame.TryParse(ref reader, out PathConnectionIdsBlockedFrame frame):
                WritePathId(json, frame.PathId);
                json.WriteNumber("next_sequence_number"u8, frame.NextSequenceNumber);
                break;
        }
    }

    private static ReadOnlySpan<byte> NameOf(ulong type) => type switch
    {
        FrameType.NewConnectionId => "new_connection_id"u8,
        FrameType.RetireConnectionId => "retire_connection_id"u8,
        FrameType.PathChallenge => "path_challenge"u8,
        FrameType.PathResponse => "path_response"u8,
        FrameType.PathAbandon => "path_abandon"u8,
        FrameType.PathStatusBackup => "path_status_backup"u8,
        FrameType.PathStatusAvailable => "path_status_available"u8,
        FrameType.PathNewConnectionId => "path_new_connection_id"u8,
        FrameType.PathRetireConnectionId => "path_retire_connection_id"u8,
        FrameType.MaxPathId => "max_path_id"u8,
        FrameType.PathsBlocked => "paths_blocked"u8,
        _ => "path_cids_blocked"u8,
    };

    private static void WriteNewConnectionId(Utf8JsonWriter json, ulong type, ref WireReader reader)
    {
        if (NewConnectionIdFrame.TryParse(type, ref reader, out NewConnectionIdFrame frame))
        {
            // The reset token is left out: whoever reads it can end the connection.
            WritePathId(json, frame.PathId);
            json.WriteNumber("sequence_number"u8, frame.SequenceNumber);
            json.WriteNumber("retire_prior_to"u8, frame.RetirePriorTo);
            json.WriteNumber("connection_id_length"u8, frame.ConnectionId.Length);
            json.WriteString("connection_id"u8, frame.ConnectionId.ToString());
        }
    }

    private static void WritePathId(Utf8JsonWriter json, ulong? pathId)
    {
        if (pathId is { } id)
        {
            json.WriteNumber("path_id"u8, id);
        }
    }
}
