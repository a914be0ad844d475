using System.Runtime.Versioning;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class SystemNetQuicCapabilityTests : TransportCapabilityContractTests
{
    protected override PostTransport CreateTransport() => MsQuicPlatform.CreateTransport();
}
