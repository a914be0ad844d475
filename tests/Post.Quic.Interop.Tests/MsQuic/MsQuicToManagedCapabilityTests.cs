using System.Runtime.Versioning;
using Post.Quic.Managed;
using Post.Quic.Tests.Transports;
using Post.Sockets.Transport;

namespace Post.Quic.Interop.Tests.MsQuic;

/// <summary>msquic connects to our engine: datagrams, migration, statistics, resumption.</summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class MsQuicToManagedCapabilityTests : TransportCapabilityContractTests
{
    protected override PostTransport CreateTransport() => global::Post.Quic.Tests.Transports.MsQuicPlatform.CreateTransport();

    protected override PostTransport CreateServerTransport() => new ManagedTransport();
}
