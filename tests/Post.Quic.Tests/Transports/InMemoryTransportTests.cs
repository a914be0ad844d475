using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>The in-memory transport keeps the contract of all transports, along with real time and on any thread.</summary>
[TestClass]
public sealed class InMemoryTransportTests : TransportContractTests
{
    private readonly InMemoryNetwork _network = new(seed: 1, new InMemoryLinkOptions
    {
        Delay = TimeSpan.FromMilliseconds(1),
        Loss = 0.01,
        Reorder = 0.01,
    });

    private IDisposable? _running;

    [TestInitialize]
    public void Run() => _running = _network.Clock.RunInRealTime();

    [TestCleanup]
    public void Stop() => _running?.Dispose();

    protected override PostTransport CreateTransport() => _network.CreateTransport();
}
