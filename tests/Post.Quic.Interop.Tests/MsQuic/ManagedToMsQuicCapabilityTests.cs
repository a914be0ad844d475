using System.Runtime.Versioning;
using Post.Quic.Managed;
using Post.Quic.Tests.Transports;
using Post.Sockets.Transport;

namespace Post.Quic.Interop.Tests.MsQuic;

/// <summary>Our engine connects to msquic: datagrams, migration, statistics, resumption.</summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class ManagedToMsQuicCapabilityTests : TransportCapabilityContractTests
{
    protected override PostTransport CreateTransport() => new ManagedTransport();

    protected override PostTransport CreateServerTransport() => global::Post.Quic.Tests.Transports.MsQuicPlatform.CreateTransport();
}
