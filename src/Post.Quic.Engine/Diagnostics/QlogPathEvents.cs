using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;
using static Post.Quic.Engine.Diagnostics.QlogReading;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>The events of paths and of what is measured on them.</summary>
internal sealed class QlogPathEvents(QlogEventWriter events)
{
    private readonly Dictionary<int, QlogMetrics> _metrics = [];

    private Utf8JsonWriter Json => events.Json;

    public void WritePath(ref WireReader reader, IBufferWriter<byte> output)
    {
        var change = (PathChange)ReadByte(ref reader);
        var state = (PathState)ReadByte(ref reader);
        uint pathId = ReadUInt32(ref reader);
        int path = (int)ReadUInt32(ref reader);
        NetworkAddress local = ReadAddress(ref reader);
        NetworkAddress remote = ReadAddress(ref reader);
        events.See(path);
        switch (change)
        {
            case PathChange.Added:
                WriteTuple(pathId, path, local, remote, output);
                break;
            case PathChange.Validated when path != events.FirstNetwork:
                WriteMigration("probing_successful"u8, pathId, path, output);
                break;
            case PathChange.Active:
                WriteMigration("migration_complete"u8, pathId, path, output);
                break;
            case PathChange.Failed:
                WriteMigration("probing_abandoned"u8, pathId, path, output);
                break;
            case PathChange.Removed:
                // An assignment without addresses ends the use of the tuple.
                WriteTuple(pathId, path, NetworkAddress.None, NetworkAddress.None, output);
                _metrics.Remove(path);
                break;
            case PathChange.Abandoned or PathChange.Status or PathChange.Standing:
                WriteState(pathId, path, state, output);
                break;
            default:
                // MTU and ECN are told with their values by the metrics.
                break;
        }
    }

    private void WriteTuple(uint pathId, int path, in NetworkAddress local, in NetworkAddress remote, IBufferWriter<byte> output)
    {
        events.Begin("quic:tuple_assigned"u8, output);
        Json.WriteString("tuple_id"u8, events.TupleId(path));
        events.WritePathId(pathId);
        if (!remote.IsNone)
        {
            events.WriteEndPoint("tuple_remote"u8, remote);
            events.WriteEndPoint("tuple_local"u8, local);
        }

        events.End(output);
    }

    private void WriteMigration(ReadOnlySpan<byte> state, uint pathId, int path, IBufferWriter<byte> output)
    {
        events.Begin("quic:migration_state_updated"u8, output);
        Json.WriteString("new"u8, state);
        Json.WriteString("tuple_id"u8, events.TupleId(path));
        events.WritePathId(pathId);
        events.End(output);
    }

    /// <summary>qlog has no event for how a path of several is used; a line for readers says it.</summary>
    private void WriteState(uint pathId, int path, PathState state, IBufferWriter<byte> output)
    {
        events.Begin("loglevel:info"u8, output, path);
        Json.WriteString("message"u8, string.Create(CultureInfo.InvariantCulture, $"path {pathId} is {Of(state)}"));
        events.WritePathId(pathId);
        events.End(output);
    }

    private static string Of(PathState state) => state switch
    {
        PathState.Available => "available",
        PathState.Backup => "a backup",
        PathState.Suspect => "suspect",
        PathState.Failing => "failing",
        PathState.Abandoned => "abandoned",
        _ => "being validated",
    };

    public void WriteMetrics(ref WireReader reader, IBufferWriter<byte> output)
    {
        uint pathId = ReadUInt32(ref reader);
        int path = (int)ReadUInt32(ref reader);
        QlogMetrics now = QlogMetrics.Read(ref reader);
        events.See(path);
        QlogMetrics? before = _metrics.TryGetValue(path, out QlogMetrics last) ? last : null;
        _metrics[path] = now;
        if (before is { } known && known with { Mtu = now.Mtu, Ecn = now.Ecn, Congestion = now.Congestion } == now)
        {
            // Nothing of this event has changed.
        }
        else
        {
            events.Begin("quic:recovery_metrics_updated"u8, output, path);
            events.WritePathId(pathId);
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

            events.End(output);
        }

        if (before?.Congestion != now.Congestion)
        {
            events.Begin("quic:congestion_state_updated"u8, output, path);
            events.WritePathId(pathId);
            events.WriteOld(before is { } old ? QlogNames.Congestion(old.Congestion) : default);
            Json.WriteString("new"u8, QlogNames.Congestion(now.Congestion));
            events.End(output);
        }

        if (before?.Mtu != now.Mtu)
        {
            events.Begin("quic:mtu_updated"u8, output, path);
            events.WritePathId(pathId);
            if (before is { } old)
            {
                Json.WriteNumber("old"u8, old.Mtu);
            }

            Json.WriteNumber("new"u8, now.Mtu);
            events.End(output);
        }

        if (before?.Ecn != now.Ecn)
        {
            events.Begin("quic:ecn_state_updated"u8, output, path);
            events.WritePathId(pathId);
            events.WriteOld(before is { } old ? QlogNames.Ecn(old.Ecn) : default);
            Json.WriteString("new"u8, QlogNames.Ecn(now.Ecn));
            events.End(output);
        }
    }

    private void WriteMilliseconds(ReadOnlySpan<byte> property, long? before, long microseconds)
    {
        if (before != microseconds)
        {
            Json.WriteNumber(property, microseconds / 1000.0);
        }
    }

    private void WriteBytes(ReadOnlySpan<byte> property, long? before, long bytes)
    {
        if (before != bytes)
        {
            Json.WriteNumber(property, bytes);
        }
    }
}
