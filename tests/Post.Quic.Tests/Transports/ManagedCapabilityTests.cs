using Post.Quic.Managed;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

[TestClass]
public sealed class ManagedCapabilityTests : TransportCapabilityContractTests
{
    protected override PostTransport CreateTransport() => new ManagedTransport();
}
