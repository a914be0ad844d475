using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Parameters;
using static Post.Quic.Engine.Diagnostics.QlogReading;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// Turns a trace's records into JSON text sequences (RFC 7464) and keeps what that needs of earlier ones. Used by one
/// task at a time, off the connection's path.
/// </summary>
internal sealed class QlogFormatter : IDisposable
{
    private const int DefaultAckDelayExponent = 3;

    private readonly QuicTraceOptions _options;
    private readonly QlogConnection _connection;
    private readonly DateTimeOffset _wallClock;
    private readonly QlogEventWriter _events = new();
    private readonly QlogPathEvents _paths;
    private long _origin;
    private bool _started;
    private int _ownExponent = DefaultAckDelayExponent;
    private int _peerExponent = DefaultAckDelayExponent;
    private ConnectionPhase? _phase;
    private int _keysKnown;
    private int _keysDiscarded;
    private uint _generation;

    private Utf8JsonWriter Json => _events.Json;

    public QlogFormatter(QuicTraceOptions options, in QlogConnection connection, DateTimeOffset wallClock)
    {
        _options = options;
        _connection = connection;
        _wallClock = wallClock;
        _paths = new QlogPathEvents(_events);
    }

    public void Format(ReadOnlySpan<byte> record, IBufferWriter<byte> output)
    {
        var reader = new WireReader(record);
        _ = reader.TryReadByte(out byte kind);
        _ = reader.TryReadUInt64(out ulong now);
        Start((long)now, output);
        _events.Time = ((long)now - _origin) / 1000.0;
        switch ((QlogRecordKind)kind)
        {
            case QlogRecordKind.PacketSent or QlogRecordKind.PacketReceived:
                WritePacket((QlogRecordKind)kind, ref reader, output);
                break;
            case QlogRecordKind.PacketDropped:
                WriteDropped(ref reader, output);
                break;
            case QlogRecordKind.PacketLost:
                _events.Begin("quic:packet_lost"u8, output);
                WriteLostPacket(ref reader);
                _events.End(output);
                break;
            case QlogRecordKind.Metrics:
                _paths.WriteMetrics(ref reader, output);
                break;
            case QlogRecordKind.Keys:
                WriteKeys(ref reader, output);
                break;
            case QlogRecordKind.Path:
                _paths.WritePath(ref reader, output);
                break;
            case QlogRecordKind.ConnectionId:
                WriteConnectionId(ref reader, output);
                break;
            case QlogRecordKind.Parameters:
                WriteParameters(ref reader, output);
                break;
            case QlogRecordKind.Phase:
                WritePhase((ConnectionPhase)ReadByte(ref reader), output);
                break;
            case QlogRecordKind.Closed:
                WriteClosed(ref reader, output);
                break;
            case QlogRecordKind.Version:
                _events.Begin("quic:version_information"u8, output);
                Json.WriteString("chosen_version"u8, ReadUInt32(ref reader).ToString("x8", CultureInfo.InvariantCulture));
                _events.End(output);
                break;
            case QlogRecordKind.Alpn:
                WriteAlpn(reader.Rest, output);
                break;
            case QlogRecordKind.EventsLost:
                WriteLost(ReadUInt32(ref reader), output);
                break;
        }
    }

    /// <summary>The end of the log, with what found no room after the last record.</summary>
    public void End(IBufferWriter<byte> output, uint lost)
    {
        // A log without events still says what it is.
        Start(_origin, output);
        if (lost > 0)
        {
            WriteLost(lost, output);
        }
    }

    public void Dispose() => _events.Dispose();

    private void Start(long origin, IBufferWriter<byte> output)
    {
        if (_started)
        {
            return;
        }

        _started = true;
        _origin = origin;
        _events.Separate(output);
        QlogHeader.Write(Json, _options, _connection, _wallClock);
        _events.Finish(output);
        _events.Begin("quic:connection_started"u8, output);
        _events.WriteEndPoint("local"u8, _connection.Local);
        _events.WriteEndPoint("remote"u8, _connection.Remote);
        _events.End(output);
    }

    private void WriteLostPacket(ref WireReader reader)
    {
        uint pathId = ReadUInt32(ref reader);
        WriteHeader(ReadLevel(ref reader), pathId, ReadUInt64(ref reader));
    }

    private void WriteHeader(EncryptionLevel level, uint pathId, ulong packetNumber)
    {
        Json.WriteStartObject("header"u8);
        Json.WriteString("packet_type"u8, QlogNames.PacketType(level));
        Json.WriteNumber("packet_number"u8, packetNumber);
        _events.WritePathId(pathId);
        Json.WriteEndObject();
    }

    private void WritePacket(QlogRecordKind kind, ref WireReader reader, IBufferWriter<byte> output)
    {
        EncryptionLevel level = ReadLevel(ref reader);
        var flags = (QlogPacketFlags)ReadByte(ref reader);
        int path = (int)ReadUInt32(ref reader);
        uint pathId = ReadUInt32(ref reader);
        ulong number = ReadUInt64(ref reader);
        uint size = ReadUInt32(ref reader);
        uint padding = ReadUInt32(ref reader);
        bool hasPath = (flags & QlogPacketFlags.HasPath) != 0;
        if (hasPath)
        {
            _events.See(path);
        }

        bool sent = kind == QlogRecordKind.PacketSent;
        _events.Begin(sent ? "quic:packet_sent"u8 : "quic:packet_received"u8, output, hasPath ? path : -1);
        WriteHeader(level, pathId, number);

        // RFC 9000 section 18.2: the exponent is for the 1-RTT space; before it is known the default holds.
        int exponent = level != EncryptionLevel.Application ? DefaultAckDelayExponent : sent ? _ownExponent : _peerExponent;
        QlogFrames.Write(Json, reader.Rest, padding, exponent);
        if ((flags & QlogPacketFlags.Incomplete) != 0)
        {
            Json.WriteBoolean("frames_incomplete"u8, true);
        }

        WriteRawLength(size);
        _events.End(output);
    }

    private void WriteRawLength(uint length)
    {
        Json.WriteStartObject("raw"u8);
        Json.WriteNumber("length"u8, length);
        Json.WriteEndObject();
    }

    private void WriteDropped(ref WireReader reader, IBufferWriter<byte> output)
    {
        uint size = ReadUInt32(ref reader);
        var reason = (PacketDropReason)ReadByte(ref reader);
        _events.Begin("quic:packet_dropped"u8, output);
        WriteRawLength(size);
        Json.WriteStartObject("details"u8);
        Json.WriteString("reason"u8, reason.ToString());
        Json.WriteEndObject();
        Json.WriteString("trigger"u8, QlogNames.DropTrigger(reason));
        _events.End(output);
    }

    private void WriteKeys(ref WireReader reader, IBufferWriter<byte> output)
    {
        EncryptionLevel level = ReadLevel(ref reader);
        bool discarded = ReadByte(ref reader) != 0;
        uint generation = ReadUInt32(ref reader);

        // The connection reports each direction; qlog's two secrets are told together, once.
        int bit = 1 << (int)level;
        ref int known = ref discarded ? ref _keysDiscarded : ref _keysKnown;
        if ((known & bit) != 0 && (discarded || generation <= _generation))
        {
            return;
        }

        known |= bit;
        _generation = level == EncryptionLevel.Application && !discarded ? generation : _generation;
        WriteKey(level, discarded, generation, server: false, output);
        if (level != EncryptionLevel.EarlyData)
        {
            WriteKey(level, discarded, generation, server: true, output);
        }
    }

    private void WriteKey(EncryptionLevel level, bool discarded, uint generation, bool server, IBufferWriter<byte> output)
    {
        _events.Begin(discarded ? "quic:key_discarded"u8 : "quic:key_updated"u8, output);
        Json.WriteString("key_type"u8, QlogNames.Key(level, server));
        if (level == EncryptionLevel.Application)
        {
            Json.WriteNumber("key_phase"u8, generation);
        }

        if (generation == 0)
        {
            Json.WriteString("trigger"u8, "tls"u8);
        }

        _events.End(output);
    }

    private void WriteConnectionId(ref WireReader reader, IBufferWriter<byte> output)
    {
        bool ours = ReadByte(ref reader) != 0;
        bool retired = ReadByte(ref reader) != 0;
        _ = ReadUInt64(ref reader);
        _ = reader.TryReadBytes(ReadByte(ref reader), out ReadOnlySpan<byte> id);
        _events.Begin("quic:connection_id_updated"u8, output);
        Json.WriteString("initiator"u8, ours ? "local"u8 : "remote"u8);
        Json.WriteString(retired ? "old"u8 : "new"u8, Convert.ToHexStringLower(id));
        _events.End(output);
    }

    private void WriteParameters(ref WireReader reader, IBufferWriter<byte> output)
    {
        bool ours = ReadByte(ref reader) != 0;
        _events.Begin("quic:parameters_set"u8, output);
        Json.WriteString("initiator"u8, ours ? "local"u8 : "remote"u8);
        bool fromServer = ours == _connection.IsServer;
        if (!TransportParametersReader.TryParse(reader.Rest, fromServer, out TransportParameters? parameters).IsError)
        {
            (ours ? ref _ownExponent : ref _peerExponent) = parameters!.AckDelayExponent;
            QlogParameters.Write(Json, parameters);
        }

        _events.End(output);
    }

    private void WritePhase(ConnectionPhase phase, IBufferWriter<byte> output)
    {
        _events.Begin("quic:connection_state_updated"u8, output);
        _events.WriteOld(_phase is { } old ? QlogNames.State(old) : default);
        Json.WriteString("new"u8, QlogNames.State(phase));
        _phase = phase;
        _events.End(output);
    }

    private void WriteClosed(ref WireReader reader, IBufferWriter<byte> output)
    {
        var source = (CloseSource)ReadByte(ref reader);
        bool isApplication = ReadByte(ref reader) != 0;
        ulong code = ReadUInt64(ref reader);
        _ = ReadUInt64(ref reader);
        bool byPeer = source is CloseSource.Peer or CloseSource.StatelessReset;
        _events.Begin("quic:connection_closed"u8, output);
        Json.WriteString("initiator"u8, byPeer ? "remote"u8 : "local"u8);
        if (source is CloseSource.Local or CloseSource.Peer)
        {
            if (isApplication)
            {
                Json.WriteString("application_error"u8, "unknown"u8);
                Json.WriteNumber("error_code"u8, code);
            }
            else
            {
                QlogFrames.WriteTransportError(Json, "connection_error"u8, code);
            }
        }

        if (!reader.IsEmpty)
        {
            Json.WriteString("reason"u8, reader.Rest);
        }

        Json.WriteString("trigger"u8, QlogNames.CloseTrigger(source, isApplication, code));
        _events.End(output);
    }

    private void WriteAlpn(ReadOnlySpan<byte> protocol, IBufferWriter<byte> output)
    {
        _events.Begin("quic:alpn_information"u8, output);
        Json.WriteStartObject("chosen_alpn"u8);
        Json.WriteString("byte_value"u8, Convert.ToHexStringLower(protocol));
        if (System.Text.Ascii.IsValid(protocol))
        {
            Json.WriteString("string_value"u8, protocol);
        }

        Json.WriteEndObject();
        _events.End(output);
    }

    private void WriteLost(uint count, IBufferWriter<byte> output)
    {
        _events.Begin("loglevel:warning"u8, output);
        Json.WriteNumber("code"u8, count);
        Json.WriteString("message"u8, string.Create(CultureInfo.InvariantCulture, $"{count} events lost: the trace's buffer was full"));
        _events.End(output);
    }
}
