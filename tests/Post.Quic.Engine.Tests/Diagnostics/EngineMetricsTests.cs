using System.Diagnostics.Metrics;
using Microsoft.Extensions.Time.Testing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Diagnostics;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Diagnostics;

/// <summary>The instruments that operators build on: names, units, tags and sums.</summary>
[TestClass]
public sealed class EngineMetricsTests
{
    [TestMethod]
    public void Instruments_have_the_names_and_units_that_the_documentation_gives()
    {
        using var world = new MetricsWorld();
        string documentation = File.ReadAllText(System.IO.Path.Combine(RepositoryRoot(), "docs", "operating.md"));
        foreach ((string name, string unit) in world.Instruments)
        {
            Assert.Contains($"| `{name}` | {unit} |", documentation);
        }

        Assert.HasCount(documentation.Split("| `quic.").Length - 1, world.Instruments, "documented but not there");
    }

    [TestMethod]
    public void Connection_is_counted_from_its_handshake_to_its_end()
    {
        using var world = new MetricsWorld();
        ConnectionMetrics connection = world.Metrics.Track(isServer: true, () => default);
        Assert.AreEqual(0, world.Sum("quic.connections.active"));
        connection.Opened(1_000_000, 40_000);
        Assert.AreEqual(1, world.Sum("quic.connections.active", ("quic.role", "server")));
        Assert.AreEqual(0.04, world.Sum("quic.handshake.duration"));
        connection.Closed(3_500_000, new ConnectionCloseInfo(CloseSource.Peer, true, 77, 0, "bye"));
        connection.Closed(3_500_000, default);
        connection.Retire(default);
        Assert.AreEqual(0, world.Sum("quic.connections.active"));
        Assert.AreEqual(1, world.Sum("quic.connections.opened"));
        Assert.AreEqual(1, world.Sum("quic.connections.closed", ("quic.close.reason", "peer_application")));
        Assert.AreEqual(2.5, world.Sum("quic.connection.duration"));
        Assert.AreEqual(0, world.Sum("quic.handshake.failures"));
    }

    [TestMethod]
    public void Paths_beside_the_first_are_counted_from_their_validation_to_their_end()
    {
        using var world = new MetricsWorld();
        ConnectionMetrics connection = world.Metrics.Track(
            isServer: false, () => new ConnectionStatistics { BytesSent = 1_000, BytesSentBeside = 300, BytesReceived = 500 });
        connection.PathChanged(Change(0, PathChange.Validated));
        connection.PathChanged(Change(1, PathChange.Validated));
        connection.PathChanged(Change(1, PathChange.Validated));
        connection.PathChanged(Change(2, PathChange.Validated));
        connection.PathChanged(Change(2, PathChange.Standing, PathState.Suspect));
        connection.PathChanged(Change(2, PathChange.Standing, PathState.Failing));
        connection.PathChanged(Change(2, PathChange.Abandoned, PathState.Abandoned, 0x3e76));
        Assert.AreEqual(2, world.Sum("quic.paths.opened", ("quic.role", "client")));
        Assert.AreEqual(1, world.Sum("quic.paths.active"));
        Assert.AreEqual(1, world.Sum("quic.paths.suspected"));
        Assert.AreEqual(1, world.Sum("quic.paths.abandoned", ("quic.path.reason", "unstable_or_poor")));
        world.Collect();
        Assert.AreEqual(300, world.Last("quic.paths.bytes.sent", ("quic.path", "further")));
        Assert.AreEqual(700, world.Last("quic.paths.bytes.sent", ("quic.path", "first")));
        Assert.AreEqual(500, world.Last("quic.paths.bytes.received", ("quic.path", "first")));
        connection.Retire(default);
        Assert.AreEqual(0, world.Sum("quic.paths.active"));

        static PathEvent Change(uint id, PathChange change, PathState state = PathState.Available, ulong? code = null) =>
            new(id, (int)id, change, default, default)
            {
                Statistics = new PathStatistics
                {
                    PathId = id,
                    NetworkId = (int)id,
                    Local = default,
                    Remote = default,
                    IsActive = true,
                    IsValidated = true,
                    State = state,
                    EndCode = code,
                },
            };
    }

    [TestMethod]
    public void Failed_handshake_is_counted_by_its_alert_and_never_as_a_connection()
    {
        using var world = new MetricsWorld();
        ConnectionMetrics connection = world.Metrics.Track(isServer: false, () => default);
        var error = TransportError.FromAlert(42, "bad certificate");
        connection.Closed(0, ConnectionCloseInfo.FromError(error));
        Assert.AreEqual(1, world.Sum("quic.handshake.failures", ("tls.alert", "42"), ("quic.close.reason", "local_error")));
        connection = world.Metrics.Track(isServer: false, () => default);
        connection.Closed(0, new ConnectionCloseInfo(CloseSource.HandshakeTimeout, false, 0, 0, string.Empty));
        Assert.AreEqual(1, world.Sum("quic.handshake.failures", ("tls.alert", "none"), ("quic.close.reason", "handshake_timeout")));
        Assert.AreEqual(0, world.Sum("quic.connections.closed"));
    }

    [TestMethod]
    public void Packets_are_summed_over_living_and_ended_connections()
    {
        using var world = new MetricsWorld();
        long packets = 10;
        var drops = default(PacketDropCounts);
        drops.Add(PacketDropReason.Duplicate);
        ConnectionMetrics first = world.Metrics.Track(true, () => new ConnectionStatistics { PacketsSent = packets, BytesSent = 1200 });
        ConnectionMetrics second = world.Metrics.Track(
            true,
            () => new ConnectionStatistics { PacketsSent = 5, PacketsDroppedByReason = drops, StreamsOpenedByPeer = 3 });
        world.Collect();
        Assert.AreEqual(15, world.Last("quic.packets.sent"));
        Assert.AreEqual(1200, world.Last("quic.bytes.sent"));
        Assert.AreEqual(1, world.Last("quic.packets.dropped", ("quic.drop.reason", "duplicate")));
        Assert.AreEqual(0, world.Last("quic.packets.dropped", ("quic.drop.reason", "not_authentic")));
        Assert.AreEqual(3, world.Last("quic.streams.opened", ("quic.stream.initiator", "peer")));
        packets = 20;
        second.Retire(new ConnectionStatistics { PacketsSent = 6 });
        world.Time.Advance(TimeSpan.FromSeconds(1));
        world.Collect();
        Assert.AreEqual(26, world.Last("quic.packets.sent"));
        first.Retire(new ConnectionStatistics { PacketsSent = 21 });
        first.Retire(new ConnectionStatistics { PacketsSent = 21 });
        world.Time.Advance(TimeSpan.FromSeconds(1));
        world.Collect();
        Assert.AreEqual(27, world.Last("quic.packets.sent"));
    }

    [TestMethod]
    public void One_collection_reads_each_connection_once()
    {
        using var world = new MetricsWorld();
        int reads = 0;
        _ = world.Metrics.Track(true, () => new ConnectionStatistics { PacketsSent = ++reads });
        world.Collect();
        Assert.AreEqual(1, reads);
        world.Time.Advance(TimeSpan.FromSeconds(1));
        world.Collect();
        Assert.AreEqual(2, reads);
    }

    [TestMethod]
    public void Endpoints_with_one_factory_share_the_instruments()
    {
        using var world = new MetricsWorld();
        Assert.AreSame(world.Metrics, EngineMetrics.Create(world, world.Time));
        Assert.AreSame(EngineMetrics.Shared, EngineMetrics.Create(null, TimeProvider.System));
    }

    [TestMethod]
    public void What_an_endpoint_does_without_a_connection_is_counted_with_its_kind()
    {
        using var world = new MetricsWorld();
        world.Metrics.RetrySent();
        world.Metrics.StatelessResetSent();
        world.Metrics.VersionNegotiationSent();
        world.Metrics.DatagramDropped(EndpointDropReason.Saturated);
        world.Metrics.TokenIssued(forRetry: true);
        world.Metrics.TokenReceived(forRetry: false, valid: false);
        world.Metrics.Track(true, () => default).Migrated();
        Assert.AreEqual(1, world.Sum("quic.retries.sent"));
        Assert.AreEqual(1, world.Sum("quic.stateless_resets.sent"));
        Assert.AreEqual(1, world.Sum("quic.version_negotiations.sent"));
        Assert.AreEqual(1, world.Sum("quic.endpoint.datagrams.dropped", ("quic.drop.reason", "saturated")));
        Assert.AreEqual(1, world.Sum("quic.tokens.issued", ("quic.token.kind", "retry")));
        Assert.AreEqual(1, world.Sum("quic.tokens.received", ("quic.token.kind", "new_token"), ("quic.token.valid", false)));
        Assert.AreEqual(1, world.Sum("quic.migrations", ("quic.role", "server")));
    }

    private static string RepositoryRoot()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(System.IO.Path.Combine(directory, "Directory.Packages.props")))
        {
            directory = System.IO.Path.GetDirectoryName(directory);
        }

        return directory ?? throw new InvalidOperationException("not inside the repository");
    }

    /// <summary>A meter of its own and somebody who listens to it.</summary>
    private sealed class MetricsWorld : IMeterFactory
    {
        private readonly Meter _meter = new(EngineMetrics.MeterName);
        private readonly MeterListener _listener = new();
        private readonly List<(string Name, double Value, Dictionary<string, object?> Tags)> _measured = [];

        public MetricsWorld()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == _meter)
                {
                    Instruments.Add((instrument.Name, instrument.Unit!));
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
            _listener.Start();
            Metrics = EngineMetrics.Create(this, Time);
        }

        public FakeTimeProvider Time { get; } = new();

        public EngineMetrics Metrics { get; }

        public List<(string Name, string Unit)> Instruments { get; } = [];

        public Meter Create(MeterOptions options)
        {
            Assert.AreEqual("Post.Quic.Engine", options.Name);
            return _meter;
        }

        public void Collect() => _listener.RecordObservableInstruments();

        public double Sum(string name, params (string Key, object Value)[] tags) => Find(name, tags).Sum(item => item.Value);

        public double Last(string name, params (string Key, object Value)[] tags) => Find(name, tags).Last().Value;

        public void Dispose()
        {
            _listener.Dispose();
            _meter.Dispose();
        }

        private IEnumerable<(string Name, double Value, Dictionary<string, object?> Tags)> Find(
            string name, (string Key, object Value)[] tags)
        {
            Assert.IsTrue(Instruments.Any(instrument => instrument.Name == name), name);
            return _measured.Where(item => item.Name == name && tags.All(tag => Equals(item.Tags[tag.Key], tag.Value)));
        }

        private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            _measured.Add((instrument.Name, value, new Dictionary<string, object?>(tags.ToArray())));
    }
}
