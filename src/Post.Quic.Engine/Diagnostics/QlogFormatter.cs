using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// Turns a trace's records into JSON text sequences (RFC 7464) and keeps what that needs of earlier ones. Used by one
/// task at a time, off the connection's path.
/// </summary>
internal sealed class QlogFormatter : IDisposable
{
    private const byte RecordSeparator = 0x1e;
    private const byte LineFeed = (byte)'\n';
    private const int DefaultAckDelayExponent = 3;

    private readonly QuicTraceOptions _options;
    private readonly QlogConnection _connection;
    private readonly DateTimeOffset _wallClock;
    private readonly Utf8JsonWriter _json;
    private long _origin;
    private bool _started;
    private double _time;
    private int _ownExponent = DefaultAckDelayExponent;
    private int _peerExponent = DefaultAckDelayExponent;
    private int _firstPath = -1;
    private int _metricsPath = -1;
    private QlogMetrics _metrics;
    private ConnectionPhase? _phase;
    private int _keysKnown;
    private int _keysDiscarded;
    private uint _generation;

    public QlogFormatter(QuicTraceOptions options, in QlogConnection connection, DateTimeOffset wallClock)
    {
        _options = options;
        _connection = connection;
        _wallClock = wallClock;

        // The relaxed encoder escapes all that JSON demands; the rest would only matter inside HTML.
        _json = new Utf8JsonWriter(
            new ArrayBufferWriter<byte>(),
            new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
    }

    public void Format(ReadOnlySpan<byte> record, IBufferWriter<byte> output)
    {
        var reader = new WireReader(record);
        _ = reader.TryReadByte(out byte kind);
        _ = reader.TryReadUInt64(out ulong now);
        Start((long)now, output);
        _time = ((long)now - _origin) / 1000.0;
        switch ((QlogRecordKind)kind)
        {
            case QlogRecordKind.PacketSent or QlogRecordKind.PacketReceived:
                WritePacket((QlogRecordKind)kind, ref reader, output);
                break;
            case QlogRecordKind.PacketDropped:
                WriteDropped(ref reader, output);
                break;
            case QlogRecordKind.PacketLost:
                Begin("quic:packet_lost"u8, output);
                WriteHeader(ReadLevel(ref reader), ReadUInt64(ref reader));
                End(output);
                break;
            case QlogRecordKind.Metrics:
                WriteMetrics(ref reader, output);
                break;
            case QlogRecordKind.Keys:
                WriteKeys(ref reader, output);
                break;
            case QlogRecordKind.Path:
                WritePath(ref reader, output);
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
                Begin("quic:version_information"u8, output);
                _json.WriteString("chosen_version"u8, ReadUInt32(ref reader).ToString("x8", CultureInfo.InvariantCulture));
                End(output);
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

    public void Dispose() => _json.Dispose();

    private static byte ReadByte(ref WireReader reader)
    {
        _ = reader.TryReadByte(out byte value);
        return value;
    }

    private static uint ReadUInt32(ref WireReader reader)
    {
        _ = reader.TryReadUInt32(out uint value);
        return value;
    }

    private static ulong ReadUInt64(ref WireReader reader)
    {
        _ = reader.TryReadUInt64(out ulong value);
        return value;
    }

    private static EncryptionLevel ReadLevel(ref WireReader reader) => (EncryptionLevel)ReadByte(ref reader);

    private static NetworkAddress ReadAddress(ref WireReader reader)
    {
        _ = reader.TryReadBytes(16, out ReadOnlySpan<byte> address);
        _ = reader.TryReadUInt16(out ushort port);
        return NetworkAddress.FromBytes(address, port, ReadUInt32(ref reader));
    }

    private void Start(long origin, IBufferWriter<byte> output)
    {
        if (_started)
        {
            return;
        }

        _started = true;
        _origin = origin;
        Separate(output);
        QlogHeader.Write(_json, _options, _connection, _wallClock);
        Finish(output);
        Begin("quic:connection_started"u8, output);
        WriteEndPoint("local"u8, _connection.Local);
        WriteEndPoint("remote"u8, _connection.Remote);
        End(output);
    }

    private void Separate(IBufferWriter<byte> output)
    {
        output.Write([RecordSeparator]);
        _json.Reset(output);
    }

    private void Finish(IBufferWriter<byte> output)
    {
        _json.Flush();
        output.Write([LineFeed]);
    }

    private void Begin(ReadOnlySpan<byte> name, IBufferWriter<byte> output, int path = -1)
    {
        Separate(output);
        _json.WriteStartObject();
        _json.WriteNumber("time"u8, _time);
        _json.WriteString("name"u8, name);
        if (path >= 0 && path != _firstPath)
        {
            // The first path is qlog's default tuple, the empty string: most connections never have another.
            _json.WriteString("tuple"u8, TupleId(path));
        }

        _json.WriteStartObject("data"u8);
    }

    private void End(IBufferWriter<byte> output)
    {
        _json.WriteEndObject();
        _json.WriteEndObject();
        Finish(output);
    }

    private string TupleId(int path) => path == _firstPath ? string.Empty : path.ToString(CultureInfo.InvariantCulture);

    private void WriteHeader(EncryptionLevel level, ulong packetNumber)
    {
        _json.WriteStartObject("header"u8);
        _json.WriteString("packet_type"u8, QlogNames.PacketType(level));
        _json.WriteNumber("packet_number"u8, packetNumber);
        _json.WriteEndObject();
    }

    private void WriteEndPoint(ReadOnlySpan<byte> property, in NetworkAddress address)
    {
        _json.WriteStartObject(property);
        QlogParameters.WriteAddress(_json, address);
        _json.WriteEndObject();
    }

    private void WritePacket(QlogRecordKind kind, ref WireReader reader, IBufferWriter<byte> output)
    {
        EncryptionLevel level = ReadLevel(ref reader);
        var flags = (QlogPacketFlags)ReadByte(ref reader);
        int path = (int)ReadUInt32(ref reader);
        ulong number = ReadUInt64(ref reader);
        uint size = ReadUInt32(ref reader);
        uint padding = ReadUInt32(ref reader);
        bool hasPath = (flags & QlogPacketFlags.HasPath) != 0;
        if (hasPath && _firstPath < 0)
        {
            _firstPath = path;
        }

        bool sent = kind == QlogRecordKind.PacketSent;
        Begin(sent ? "quic:packet_sent"u8 : "quic:packet_received"u8, output, hasPath ? path : -1);
        WriteHeader(level, number);

        // RFC 9000 section 18.2: the exponent is for the 1-RTT space; before it is known the default holds.
        int exponent = level != EncryptionLevel.Application ? DefaultAckDelayExponent : sent ? _ownExponent : _peerExponent;
        QlogFrames.Write(_json, reader.Rest, padding, exponent);
        if ((flags & QlogPacketFlags.Incomplete) != 0)
        {
            _json.WriteBoolean("frames_incomplete"u8, true);
        }

        WriteRawLength(size);
        End(output);
    }

    private void WriteRawLength(uint length)
    {
        _json.WriteStartObject("raw"u8);
        _json.WriteNumber("length"u8, length);
        _json.WriteEndObject();
    }

    private void WriteDropped(ref WireReader reader, IBufferWriter<byte> output)
    {
        uint size = ReadUInt32(ref reader);
        var reason = (PacketDropReason)ReadByte(ref reader);
        Begin("quic:packet_dropped"u8, output);
        WriteRawLength(size);
        _json.WriteStartObject("details"u8);
        _json.WriteString("reason"u8, reason.ToString());
        _json.WriteEndObject();
        _json.WriteString("trigger"u8, QlogNames.DropTrigger(reason));
        End(output);
    }

    private void WriteMetrics(ref WireReader reader, IBufferWriter<byte> output)
    {
        int path = (int)ReadUInt32(ref reader);
        QlogMetrics now = QlogMetrics.Read(ref reader);
        if (_firstPath < 0)
        {
            _firstPath = path;
        }

        QlogMetrics? before = path == _metricsPath ? _metrics : null;
        _metricsPath = path;
        _metrics = now;
        if (before is { } known && known with { Mtu = now.Mtu, Ecn = now.Ecn, Congestion = now.Congestion } == now)
        {
            // Nothing of this event has changed.
        }
        else
        {
            Begin("quic:recovery_metrics_updated"u8, output, path);
            WriteMilliseconds("min_rtt"u8, before?.MinRtt, now.MinRtt);
            WriteMilliseconds("smoothed_rtt"u8, before?.SmoothedRtt, now.SmoothedRtt);
            WriteMilliseconds("latest_rtt"u8, before?.LatestRtt, now.LatestRtt);
            WriteMilliseconds("rtt_variance"u8, before?.RttVariation, now.RttVariation);
            WriteBytes("congestion_window"u8, before?.Window, now.Window);
            WriteBytes("bytes_in_flight"u8, before?.BytesInFlight, now.BytesInFlight);
            if (now.SlowStartThreshold != long.MaxValue)
            {
                WriteBytes("ssthresh"u8, before?.SlowStartThreshold, now.SlowStartThreshold);
            }

            End(output);
        }

        if (before?.Congestion != now.Congestion)
        {
            Begin("quic:congestion_state_updated"u8, output, path);
            WriteOld(before is { } old ? QlogNames.Congestion(old.Congestion) : default);
            _json.WriteString("new"u8, QlogNames.Congestion(now.Congestion));
            End(output);
        }

        if (before?.Mtu != now.Mtu)
        {
            Begin("quic:mtu_updated"u8, output, path);
            if (before is { } old)
            {
                _json.WriteNumber("old"u8, old.Mtu);
            }

            _json.WriteNumber("new"u8, now.Mtu);
            End(output);
        }

        if (before?.Ecn != now.Ecn)
        {
            Begin("quic:ecn_state_updated"u8, output, path);
            WriteOld(before is { } old ? QlogNames.Ecn(old.Ecn) : default);
            _json.WriteString("new"u8, QlogNames.Ecn(now.Ecn));
            End(output);
        }
    }

    private void WriteMilliseconds(ReadOnlySpan<byte> property, long? before, long microseconds)
    {
        if (before != microseconds)
        {
            _json.WriteNumber(property, microseconds / 1000.0);
        }
    }

    private void WriteBytes(ReadOnlySpan<byte> property, long? before, long bytes)
    {
        if (before != bytes)
        {
            _json.WriteNumber(property, bytes);
        }
    }

    private void WriteOld(ReadOnlySpan<byte> state)
    {
        if (!state.IsEmpty)
        {
            _json.WriteString("old"u8, state);
        }
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
        Begin(discarded ? "quic:key_discarded"u8 : "quic:key_updated"u8, output);
        _json.WriteString("key_type"u8, QlogNames.Key(level, server));
        if (level == EncryptionLevel.Application)
        {
            _json.WriteNumber("key_phase"u8, generation);
        }

        if (generation == 0)
        {
            _json.WriteString("trigger"u8, "tls"u8);
        }

        End(output);
    }

    private void WritePath(ref WireReader reader, IBufferWriter<byte> output)
    {
        var change = (PathChange)ReadByte(ref reader);
        int path = (int)ReadUInt32(ref reader);
        NetworkAddress local = ReadAddress(ref reader);
        NetworkAddress remote = ReadAddress(ref reader);
        if (_firstPath < 0)
        {
            _firstPath = path;
        }

        switch (change)
        {
            case PathChange.Added:
                WriteTuple(path, local, remote, output);
                break;
            case PathChange.Validated when path != _firstPath:
                WriteMigration("probing_successful"u8, path, output);
                break;
            case PathChange.Active:
                WriteMigration("migration_complete"u8, path, output);
                break;
            case PathChange.Failed:
                WriteMigration("probing_abandoned"u8, path, output);
                break;
            case PathChange.Removed:
                // An assignment without addresses ends the use of the tuple.
                WriteTuple(path, NetworkAddress.None, NetworkAddress.None, output);
                break;
            default:
                // MTU and ECN are told with their values by the metrics.
                break;
        }
    }

    private void WriteTuple(int path, in NetworkAddress local, in NetworkAddress remote, IBufferWriter<byte> output)
    {
        Begin("quic:tuple_assigned"u8, output);
        _json.WriteString("tuple_id"u8, TupleId(path));
        if (!remote.IsNone)
        {
            WriteEndPoint("tuple_remote"u8, remote);
            WriteEndPoint("tuple_local"u8, local);
        }

        End(output);
    }

    private void WriteMigration(ReadOnlySpan<byte> state, int path, IBufferWriter<byte> output)
    {
        Begin("quic:migration_state_updated"u8, output);
        _json.WriteString("new"u8, state);
        _json.WriteString("tuple_id"u8, TupleId(path));
        End(output);
    }

    private void WriteConnectionId(ref WireReader reader, IBufferWriter<byte> output)
    {
        bool ours = ReadByte(ref reader) != 0;
        bool retired = ReadByte(ref reader) != 0;
        _ = ReadUInt64(ref reader);
        _ = reader.TryReadBytes(ReadByte(ref reader), out ReadOnlySpan<byte> id);
        Begin("quic:connection_id_updated"u8, output);
        _json.WriteString("initiator"u8, ours ? "local"u8 : "remote"u8);
        _json.WriteString(retired ? "old"u8 : "new"u8, Convert.ToHexStringLower(id));
        End(output);
    }

    private void WriteParameters(ref WireReader reader, IBufferWriter<byte> output)
    {
        bool ours = ReadByte(ref reader) != 0;
        Begin("quic:parameters_set"u8, output);
        _json.WriteString("initiator"u8, ours ? "local"u8 : "remote"u8);
        bool fromServer = ours == _connection.IsServer;
        if (!TransportParametersReader.TryParse(reader.Rest, fromServer, out TransportParameters? parameters).IsError)
        {
            (ours ? ref _ownExponent : ref _peerExponent) = parameters!.AckDelayExponent;
            QlogParameters.Write(_json, parameters);
        }

        End(output);
    }

    private void WritePhase(ConnectionPhase phase, IBufferWriter<byte> output)
    {
        Begin("quic:connection_state_updated"u8, output);
        WriteOld(_phase is { } old ? QlogNames.State(old) : default);
        _json.WriteString("new"u8, QlogNames.State(phase));
        _phase = phase;
        End(output);
    }

    private void WriteClosed(ref WireReader reader, IBufferWriter<byte> output)
    {
        var source = (CloseSource)ReadByte(ref reader);
        bool isApplication = ReadByte(ref reader) != 0;
        ulong code = ReadUInt64(ref reader);
        _ = ReadUInt64(ref reader);
        bool byPeer = source is CloseSource.Peer or CloseSource.StatelessReset;
        Begin("quic:connection_closed"u8, output);
        _json.WriteString("initiator"u8, byPeer ? "remote"u8 : "local"u8);
        if (source is CloseSource.Local or CloseSource.Peer)
        {
            if (isApplication)
            {
                _json.WriteString("application_error"u8, "unknown"u8);
                _json.WriteNumber("error_code"u8, code);
            }
            else
            {
                QlogFrames.WriteTransportError(_json, "connection_error"u8, code);
            }
        }

        if (!reader.IsEmpty)
        {
            _json.WriteString("reason"u8, reader.Rest);
        }

        _json.WriteString("trigger"u8, QlogNames.CloseTrigger(source, isApplication, code));
        End(output);
    }

    private void WriteAlpn(ReadOnlySpan<byte> protocol, IBufferWriter<byte> output)
    {
        Begin("quic:alpn_information"u8, output);
        _json.WriteStartObject("chosen_alpn"u8);
        _json.WriteString("byte_value"u8, Convert.ToHexStringLower(protocol));
        if (System.Text.Ascii.IsValid(protocol))
        {
            _json.WriteString("string_value"u8, protocol);
        }

        _json.WriteEndObject();
        End(output);
    }

    private void WriteLost(uint count, IBufferWriter<byte> output)
    {
        Begin("loglevel:warning"u8, output);
        _json.WriteNumber("code"u8, count);
        _json.WriteString("message"u8, string.Create(CultureInfo.InvariantCulture, $"{count} events lost: the trace's buffer was full"));
        End(output);
    }
}
