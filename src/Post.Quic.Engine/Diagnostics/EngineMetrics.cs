using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Post.Quic.Engine.Connection;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// The engine's instruments (docs/operating.md lists them). What happens for each packet is counted by the connections
/// anyway and only summed when somebody collects; what is rare is counted here when it happens.
/// </summary>
internal sealed class EngineMetrics
{
    public const string MeterName = "Post.Quic.Engine";

    private const double MicrosecondsPerSecond = 1_000_000;

    private static readonly ConditionalWeakTable<Meter, EngineMetrics> Known = [];
    private static readonly object True = true;
    private static readonly object False = false;

    private readonly Meter _meter;
    private readonly StatisticsTotals _totals;
    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _opened;
    private readonly Counter<long> _closed;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _handshakeDuration;
    private readonly Counter<long> _handshakeFailures;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _statelessResets;
    private readonly Counter<long> _versionNegotiations;
    private readonly Counter<long> _datagramsDropped;
    private readonly Counter<long> _migrations;
    private readonly UpDownCounter<long> _furtherPaths;
    private readonly Counter<long> _pathsOpened;
    private readonly Counter<long> _pathsAbandoned;
    private readonly Counter<long> _pathsSuspected;
    private readonly Counter<long> _tokensIssued;
    private readonly Counter<long> _tokensChecked;

    private EngineMetrics(Meter meter, TimeProvider time)
    {
        _meter = meter;
        _totals = new StatisticsTotals(time);
        _active = meter.CreateUpDownCounter<long>(
            "quic.connections.active", "{connection}", "Connections whose handshake is complete and that are not closed.");
        _opened = meter.CreateCounter<long>("quic.connections.opened", "{connection}", "Handshakes completed.");
        _closed = meter.CreateCounter<long>("quic.connections.closed", "{connection}", "Open connections that ended.");
        _duration = meter.CreateHistogram<double>("quic.connection.duration", "s", "Time from a handshake's end to the close.");
        _handshakeDuration = meter.CreateHistogram<double>(
            "quic.handshake.duration", "s", "Time from the first packet to the end of the handshake.");
        _handshakeFailures = meter.CreateCounter<long>(
            "quic.handshake.failures", "{connection}", "Connections that ended before their handshake was complete.");
        _retries = meter.CreateCounter<long>("quic.retries.sent", "{packet}", "Retry packets sent to clients.");
        _statelessResets = meter.CreateCounter<long>("quic.stateless_resets.sent", "{packet}", "Stateless resets sent.");
        _versionNegotiations = meter.CreateCounter<long>(
            "quic.version_negotiations.sent", "{packet}", "Version Negotiation packets sent.");
        _datagramsDropped = meter.CreateCounter<long>(
            "quic.endpoint.datagrams.dropped", "{datagram}", "UDP datagrams that an endpoint dropped before any connection.");
        _migrations = meter.CreateCounter<long>("quic.migrations", "{migration}", "Changes of the active path.");
        _furtherPaths = meter.CreateUpDownCounter<long>(
            "quic.paths.active", "{path}", "Paths that were opened beside the first and not given up (multipath).");
        _pathsOpened = meter.CreateCounter<long>("quic.paths.opened", "{path}", "Paths opened beside the first and validated.");
        _pathsAbandoned = meter.CreateCounter<long>("quic.paths.abandoned", "{path}", "Paths given up, the first of a connection included.");
        _pathsSuspected = meter.CreateCounter<long>(
            "quic.paths.suspected", "{event}", "Times that a path fell silent and its work went to others.");
        _tokensIssued = meter.CreateCounter<long>("quic.tokens.issued", "{token}", "Address tokens given to clients.");
        _tokensChecked = meter.CreateCounter<long>("quic.tokens.received", "{token}", "Address tokens that clients brought.");
        CreateObservable("quic.datagrams.received", "{datagram}", "UDP datagrams received.", static s => s.DatagramsReceived);
        CreateObservable("quic.datagrams.sent", "{datagram}", "UDP datagrams sent.", static s => s.DatagramsSent);
        CreateObservable("quic.bytes.received", "By", "UDP payload received.", static s => s.BytesReceived);
        CreateObservable("quic.bytes.sent", "By", "UDP payload sent.", static s => s.BytesSent);
        _ = meter.CreateObservableCounter("quic.paths.bytes.received", () => MeasurePaths(static s => (s.BytesReceived, s.BytesReceivedBeside)), "By", "UDP payload received by path.");
        _ = meter.CreateObservableCounter("quic.paths.bytes.sent", () => MeasurePaths(static s => (s.BytesSent, s.BytesSentBeside)), "By", "UDP payload sent by path.");
        CreateObservable("quic.packets.received", "{packet}", "QUIC packets received.", static s => s.PacketsReceived);
        CreateObservable("quic.packets.sent", "{packet}", "QUIC packets sent.", static s => s.PacketsSent);
        CreateObservable("quic.packets.lost", "{packet}", "Packets sent and declared lost.", static s => s.PacketsLost);
        CreateObservable(
            "quic.packets.spuriously_lost", "{packet}", "Packets declared lost that arrived.", static s => s.SpuriousLosses);
        CreateObservable("quic.probe_timeouts", "{timeout}", "Probe timeouts.", static s => s.ProbeTimeouts);
        CreateObservable("quic.key_updates", "{update}", "Updates of 1-RTT keys.", static s => s.KeyUpdates);
        _ = meter.CreateObservableCounter(
            "quic.packets.dropped", MeasureDrops, "{packet}", "Packets that connections received and did not process.");
        _ = meter.CreateObservableCounter("quic.streams.opened", MeasureStreams, "{stream}", "Streams opened.");
    }

    /// <summary>The instruments of everything in the process that was given no meter factory.</summary>
    public static EngineMetrics Shared { get; } = new(new Meter(MeterName), TimeProvider.System);

    /// <summary>Instruments on the factory's meter, or the shared ones where there is no factory.</summary>
    public static EngineMetrics Create(IMeterFactory? factory, TimeProvider time) =>
        factory is null
            ? Shared

            // A factory gives every endpoint the same meter. Instruments made twice on it would be reported twice.
            : Known.GetValue(factory.Create(new MeterOptions(MeterName)), meter => new EngineMetrics(meter, time));

    /// <summary>
    /// A connection begins. What it counts is read from <paramref name="statistics"/>, on any thread and at any time until
    /// the result is told of its end.
    /// </summary>
    public ConnectionMetrics Track(bool isServer, Func<ConnectionStatistics> statistics) => new(this, _totals, isServer, statistics);

    public void RetrySent() => _retries.Add(1);

    public void StatelessResetSent() => _statelessResets.Add(1);

    public void VersionNegotiationSent() => _versionNegotiations.Add(1);

    public void DatagramDropped(EndpointDropReason reason) =>
        _datagramsDropped.Add(1, new KeyValuePair<string, object?>("quic.drop.reason", MetricNames.Of(reason)));

    public void TokenIssued(bool forRetry) => _tokensIssued.Add(1, Kind(forRetry));

    public void TokenReceived(bool forRetry, bool valid) =>
        _tokensChecked.Add(1, Kind(forRetry), new KeyValuePair<string, object?>("quic.token.valid", valid ? True : False));

    internal void OnOpened(bool isServer, long handshakeMicroseconds)
    {
        _active.Add(1, Role(isServer));
        _opened.Add(1, Role(isServer));
        _handshakeDuration.Record(handshakeMicroseconds / MicrosecondsPerSecond, Role(isServer));
    }

    internal void OnClosed(bool isServer, long openMicroseconds, in ConnectionCloseInfo info)
    {
        var reason = new KeyValuePair<string, object?>("quic.close.reason", MetricNames.Of(info.Source, info.IsApplication, info.ErrorCode));
        _active.Add(-1, Role(isServer));
        _closed.Add(1, Role(isServer), reason);
        _duration.Record(openMicroseconds / MicrosecondsPerSecond, Role(isServer), reason);
    }

    internal void OnHandshakeFailed(bool isServer, in ConnectionCloseInfo info) =>
        _handshakeFailures.Add(
            1,
            Role(isServer),
            new KeyValuePair<string, object?>("quic.close.reason", MetricNames.Of(info.Source, info.IsApplication, info.ErrorCode)),
            new KeyValuePair<string, object?>("tls.alert", MetricNames.Alert(info)));

    internal void OnPathOpened(bool isServer)
    {
        _furtherPaths.Add(1, Role(isServer));
        _pathsOpened.Add(1, Role(isServer));
    }

    internal void OnFurtherPathEnded(bool isServer) => _furtherPaths.Add(-1, Role(isServer));

    internal void OnPathAbandoned(bool isServer, ulong code) =>
        _pathsAbandoned.Add(1, Role(isServer), new KeyValuePair<string, object?>("quic.path.reason", MetricNames.PathReason(code)));

    internal void OnPathSuspected(bool isServer) => _pathsSuspected.Add(1, Role(isServer));

    internal void OnMigrated(bool isServer) => _migrations.Add(1, Role(isServer));

    private static KeyValuePair<string, object?> Role(bool isServer) => new("quic.role", isServer ? "server" : "client");

    private static KeyValuePair<string, object?> Kind(bool forRetry) => new("quic.token.kind", forRetry ? "retry" : "new_token");

    private IEnumerable<Measurement<long>> MeasureDrops()
    {
        PacketDropCounts counts = _totals.Read().PacketsDroppedByReason;
        for (int i = 0; i < PacketDropCounts.ReasonCount; i++)
        {
            var reason = (PacketDropReason)i;
            yield return new Measurement<long>(
                counts[reason], new KeyValuePair<string, object?>("quic.drop.reason", MetricNames.Of(reason)));
        }
    }

    /// <summary>Ids of paths come without end; the first one is told from the others.</summary>
    private IEnumerable<Measurement<long>> MeasurePaths(Func<ConnectionStatistics, (long All, long Beside)> value)
    {
        (long all, long beside) = value(_totals.Read());
        yield return new Measurement<long>(all - beside, new KeyValuePair<string, object?>("quic.path", "first"));
        yield return new Measurement<long>(beside, new KeyValuePair<string, object?>("quic.path", "further"));
    }

    private IEnumerable<Measurement<long>> MeasureStreams()
    {
        ConnectionStatistics totals = _totals.Read();
        yield return new Measurement<long>(totals.StreamsOpenedByUs, Initiator("local"));
        yield return new Measurement<long>(totals.StreamsOpenedByPeer, Initiator("peer"));
    }

    private static KeyValuePair<string, object?> Initiator(string side) => new("quic.stream.initiator", side);

    private void CreateObservable(string name, string unit, string description, Func<ConnectionStatistics, long> value) =>
        _ = _meter.CreateObservableCounter(name, () => value(_totals.Read()), unit, description);
}
