using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Post.Sockets;

namespace Post.Quic.Tests.DependencyInjection;

/// <summary>The instruments of the managed engine are those of the container's meter factory.</summary>
[TestClass]
public sealed class EngineMetricsTests
{
    private const string EngineMeter = "Post.Quic.Engine";

    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task Each_container_counts_its_own_connections_once()
    {
        await using ServiceProvider server = Container();
        await using ServiceProvider client = Container();
        using var ofServer = new Sums(server.GetRequiredService<IMeterFactory>());
        using var ofClient = new Sums(client.GetRequiredService<IMeterFactory>());
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        await using Listener listener = await server.GetRequiredService<AssociationFactory>().ListenAsync(
            Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity),
            cancellationToken: TestContext.CancellationToken);
        var remote = Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], KeyFingerprint.Of(identity));

        // Two endpoints of the client's, one meter: an instrument made twice on it would count twice.
        for (int i = 0; i < 2; i++)
        {
            await using Association association = await client.GetRequiredService<AssociationFactory>().AssociateAsync(
                Local.Anonymous, remote, cancellationToken: TestContext.CancellationToken);
            Association accepted = (await listener.AcceptAsync(TestContext.CancellationToken))!;
            accepted.Register<Received>(_ => { });
            (await association.Send("hello"u8).Completion.WaitAsync(TestContext.CancellationToken)).EnsureAcked();
        }

        Assert.AreEqual(2, ofClient.Of("quic.connections.opened"));
        Assert.AreEqual(2, ofServer.Of("quic.connections.opened"));
        ofClient.Observe();
        Assert.IsGreaterThan(0, ofClient.Of("quic.packets.sent"));
        Assert.AreEqual(1, ofClient.Observations("quic.packets.sent"), "one number for all endpoints");
    }

    [TestMethod]
    public async Task With_its_container_the_meter_ends()
    {
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        ServiceProvider container = Container();
        using var sums = new Sums(container.GetRequiredService<IMeterFactory>());
        await using (await container.GetRequiredService<AssociationFactory>().ListenAsync(
            Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity), cancellationToken: TestContext.CancellationToken))
        {
            Assert.AreEqual(0, sums.Ended);
        }

        await container.DisposeAsync();
        Assert.IsGreaterThan(0, sums.Ended);
    }

    private static ServiceProvider Container()
    {
        var services = new ServiceCollection();
        services.AddMetrics();
        services.AddPostQuic(options => options.Engine = PostEngine.Managed);
        return services.BuildServiceProvider();
    }

    /// <summary>Adds up what the engine's instruments of one factory say.</summary>
    private sealed class Sums : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentDictionary<string, (long Sum, int Count)> _values = new();
        private int _ended;

        public Sums(IMeterFactory factory)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == EngineMeter && instrument.Meter.Scope == factory)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.MeasurementsCompleted = (_, _) => Interlocked.Increment(ref _ended);
            _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => _values.AddOrUpdate(
                instrument.Name, (value, 1), (_, before) => (before.Sum + value, before.Count + 1)));
            _listener.Start();
        }

        /// <summary>Instruments that ended.</summary>
        public int Ended => Volatile.Read(ref _ended);

        public long Of(string instrument) => _values.GetValueOrDefault(instrument).Sum;

        public int Observations(string instrument) => _values.GetValueOrDefault(instrument).Count;

        public void Observe() => _listener.RecordObservableInstruments();

        public void Dispose() => _listener.Dispose();
    }
}
