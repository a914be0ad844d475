using System.Buffers.Binary;
using System.Text.Unicode;
using Microsoft.Extensions.Logging;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// Notes what a connection does as compact records in a bounded ring, for <see cref="QlogSink"/> to write. Called under
/// the connection's gate; it allocates nothing, waits for nothing, and leaves out and counts what finds no room.
/// </summary>
internal sealed class QlogTrace : ConnectionTrace, IAsyncDisposable
{
    private const int Prefix = sizeof(byte) + sizeof(long);
    private const int MaxPacketBody = 2048;
    private const int PacketFixed = 28;
    private const int AddressLength = 16 + sizeof(ushort) + sizeof(uint);

    private readonly QlogRing _ring;
    private readonly QlogSink _sink;
    private readonly bool _isServer;
    private uint _lost;
    private bool _completed;

    public QlogTrace(Stream output, QuicTraceOptions options, in QlogConnection connection, TimeProvider time, ILogger logger)
    {
        _isServer = connection.IsServer;
        _ring = new QlogRing(options.BufferSize);
        _sink = new QlogSink(
            output, _ring, new QlogFormatter(options, connection, time.GetUtcNow()), options.FlushInterval, time, logger);
    }

    /// <summary>Events that found no room so far.</summary>
    public long TotalLost { get; private set; }

    /// <summary>
    /// A trace for a connection, or null where the options' owner wants none for this one or its stream cannot be had:
    /// a log that fails never fails a connection.
    /// </summary>
    public static QlogTrace? TryOpen(QuicTraceOptions options, in QlogConnection connection, TimeProvider time, ILogger logger)
    {
        try
        {
            Stream? output = QlogOutput.Open(options, connection);
            return output is null ? null : new QlogTrace(output, options, connection, time, logger);
        }
        catch (Exception error)
        {
            EngineLog.TraceNotOpened(logger, error, connection.OriginalDestination);
            return null;
        }
    }

    public override void PacketSent(
        long now, Network path, EncryptionLevel level, ulong packetNumber, int size, ReadOnlySpan<byte> payload) =>
        Packet(QlogRecordKind.PacketSent, now, path, level, packetNumber, size, payload, fromServer: _isServer);

    public override void PacketReceived(
        long now, Network? path, EncryptionLevel level, ulong packetNumber, int size, ReadOnlySpan<byte> payload) =>
        Packet(QlogRecordKind.PacketReceived, now, path, level, packetNumber, size, payload, fromServer: !_isServer);

    public override void PacketDropped(long now, int size, PacketDropReason reason)
    {
        if (TryBegin(QlogRecordKind.PacketDropped, now, 5, out WireWriter writer))
        {
            writer.WriteUInt32((uint)size);
            writer.WriteByte((byte)reason);
            Commit(writer);
        }
    }

    public override void PacketLost(long now, uint pathId, EncryptionLevel level, ulong packetNumber)
    {
        if (TryBegin(QlogRecordKind.PacketLost, now, 13, out WireWriter writer))
        {
            writer.WriteUInt32(pathId);
            writer.WriteByte((byte)level);
            writer.WriteUInt64(packetNumber);
            Commit(writer);
        }
    }

    public override void MetricsUpdated(long now, Network path)
    {
        if (TryBegin(QlogRecordKind.Metrics, now, (2 * sizeof(uint)) + QlogMetrics.Length, out WireWriter writer))
        {
            writer.WriteUInt32(path.PathId);
            writer.WriteUInt32((uint)path.Id);
            QlogMetrics.Of(path.Transmission).Write(ref writer);
            Commit(writer);
        }
    }

    public override void KeysChanged(long now, EncryptionLevel level, bool discarded, uint generation)
    {
        if (TryBegin(QlogRecordKind.Keys, now, 6, out WireWriter writer))
        {
            writer.WriteByte((byte)level);
            writer.WriteByte(discarded ? (byte)1 : (byte)0);
            writer.WriteUInt32(generation);
            Commit(writer);
        }
    }

    public override void PathChanged(long now, in PathEvent change)
    {
        if (TryBegin(QlogRecordKind.Path, now, 10 + (2 * AddressLength), out WireWriter writer))
        {
            writer.WriteByte((byte)change.Change);
            writer.WriteByte((byte)change.Statistics.State);
            writer.WriteUInt32(change.PathId);
            writer.WriteUInt32((uint)change.NetworkId);
            WriteAddress(ref writer, change.Local);
            WriteAddress(ref writer, change.Remote);
            Commit(writer);
        }
    }

    public override void ConnectionIdChanged(long now, bool ours, ulong sequence, in ConnectionId id, bool retired)
    {
        if (TryBegin(QlogRecordKind.ConnectionId, now, 11 + ConnectionId.MaxLength, out WireWriter writer))
        {
            writer.WriteByte(ours ? (byte)1 : (byte)0);
            writer.WriteByte(retired ? (byte)1 : (byte)0);
            writer.WriteUInt64(sequence);
            writer.WriteByte((byte)id.Length);
            writer.WriteBytes(id.Span);
            Commit(writer);
        }
    }

    public override void ParametersSet(long now, bool ours, ReadOnlySpan<byte> encoded)
    {
        // A peer's may be as long as it likes; what is beyond a record is GREASE or worse.
        ReadOnlySpan<byte> kept = encoded[..Math.Min(encoded.Length, MaxPacketBody)];
        if (TryBegin(QlogRecordKind.Parameters, now, 1 + kept.Length, out WireWriter writer))
        {
            writer.WriteByte(ours ? (byte)1 : (byte)0);
            writer.WriteBytes(kept);
            Commit(writer);
        }
    }

    public override void PhaseChanged(long now, ConnectionPhase phase)
    {
        if (TryBegin(QlogRecordKind.Phase, now, 1, out WireWriter writer))
        {
            writer.WriteByte((byte)phase);
            Commit(writer);
        }
    }

    public override void Closed(long now, in ConnectionCloseInfo info)
    {
        if (TryBegin(QlogRecordKind.Closed, now, 18 + QlogPayload.MaxReason, out WireWriter writer))
        {
            writer.WriteByte((byte)info.Source);
            writer.WriteByte(info.IsApplication ? (byte)1 : (byte)0);
            writer.WriteUInt64(info.ErrorCode);
            writer.WriteUInt64(info.FrameType);

            // The end of a long reason is cut between characters.
            _ = Utf8.FromUtf16(info.Reason, writer.Rest[..QlogPayload.MaxReason], out _, out int written);
            writer.Advance(written);
            Commit(writer);
        }
    }

    public override void VersionChosen(long now, QuicVersion version)
    {
        if (TryBegin(QlogRecordKind.Version, now, 4, out WireWriter writer))
        {
            writer.WriteUInt32((uint)version);
            Commit(writer);
        }
    }

    public override void AlpnChosen(long now, ReadOnlySpan<byte> protocol)
    {
        if (TryBegin(QlogRecordKind.Alpn, now, protocol.Length, out WireWriter writer))
        {
            writer.WriteBytes(protocol);
            Commit(writer);
        }
    }

    /// <summary>Ends the log: nothing is noted any more. Under the connection's gate, like everything above.</summary>
    public void Complete()
    {
        if (!_completed)
        {
            _completed = true;
            _sink.Complete(_lost);
        }
    }

    /// <summary>Everything noted so far is in the stream and the stream is flushed.</summary>
    public ValueTask FlushAsync() => _sink.FlushAsync();

    /// <summary>Writes what is left and disposes the stream. The connection must not call any more.</summary>
    public async ValueTask DisposeAsync()
    {
        Complete();
        await _sink.Completion.ConfigureAwait(false);
        _ring.Dispose();
    }

    private static void WriteAddress(ref WireWriter writer, in NetworkAddress address)
    {
        address.WriteBytes(writer.Rest[..16]);
        writer.Advance(16);
        writer.WriteUInt16(address.Port);
        writer.WriteUInt32(address.ScopeId);
    }

    private void Packet(
        QlogRecordKind kind,
        long now,
        Network? path,
        EncryptionLevel level,
        ulong packetNumber,
        int size,
        ReadOnlySpan<byte> payload,
        bool fromServer)
    {
        int bound = PacketFixed + Math.Min(payload.Length + QlogPayload.MaxGrowth, MaxPacketBody);
        if (!TryBegin(kind, now, bound, out WireWriter writer))
        {
            return;
        }

        QlogPacketFlags flags = path is null ? QlogPacketFlags.None : QlogPacketFlags.HasPath;
        writer.WriteByte((byte)level);
        int flagsAt = writer.Position;
        writer.WriteByte(0);
        writer.WriteUInt32((uint)(path?.Id ?? 0));
        writer.WriteUInt32(path?.PathId ?? 0);
        writer.WriteUInt64(packetNumber);
        writer.WriteUInt32((uint)size);
        int paddingAt = writer.Position;
        writer.WriteUInt32(0);
        if (!QlogPayload.TryCopy(payload, level, fromServer, ref writer, out int padding))
        {
            flags |= QlogPacketFlags.Incomplete;
        }

        writer.Written[flagsAt] = (byte)flags;
        BinaryPrimitives.WriteUInt32BigEndian(writer.Written[paddingAt..], (uint)padding);
        Commit(writer);
    }

    private bool TryBegin(QlogRecordKind kind, long now, int bodyLength, out WireWriter writer)
    {
        writer = default;
        if (_completed)
        {
            return false;
        }

        // The note of what was lost stands where the gap is.
        if (_lost > 0 && TryReserve(QlogRecordKind.EventsLost, now, sizeof(uint), out WireWriter note))
        {
            note.WriteUInt32(_lost);
            Commit(note);
            _lost = 0;
        }

        if (_lost == 0 && TryReserve(kind, now, bodyLength, out writer))
        {
            return true;
        }

        _lost++;
        TotalLost++;
        return false;
    }

    private bool TryReserve(QlogRecordKind kind, long now, int bodyLength, out WireWriter writer)
    {
        if (!_ring.TryReserve(Prefix + bodyLength, out Span<byte> record))
        {
            writer = default;
            return false;
        }

        writer = new WireWriter(record);
        writer.WriteByte((byte)kind);
        writer.WriteUInt64((ulong)now);
        return true;
    }

    private void Commit(scoped in WireWriter writer)
    {
        _ring.Commit(writer.Position);
        _sink.OnRecord();
    }
}
