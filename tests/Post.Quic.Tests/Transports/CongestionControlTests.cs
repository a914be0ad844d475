using System.Runtime.Versioning;
using Post.Quic.Engine;
using Post.Quic.Managed;
using Post.Quic.SystemNetQuic;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>What an association says of congestion control reaches the engine, or is refused by one that cannot do it.</summary>
[TestClass]
public sealed class CongestionControlTests
{
    [TestMethod]
    [DataRow(CongestionControl.Auto, QuicCongestionControl.Auto)]
    [DataRow(CongestionControl.Cubic, QuicCongestionControl.Cubic)]
    [DataRow(CongestionControl.Bbr, QuicCongestionControl.Bbr)]
    [DataRow(CongestionControl.NewReno, QuicCongestionControl.NewReno)]
    public void The_managed_engine_takes_each(CongestionControl asked, QuicCongestionControl expected)
    {
        QuicServerConnectionOptions options = ManagedOptions.WithLimits(
            new QuicServerConnectionOptions { ServerAuthenticationOptions = new() }, new AssociationOptions { CongestionControl = asked });
        Assert.AreEqual(expected, options.CongestionControl);
    }

    [TestMethod]
    [SupportedOSPlatform("linux")]
    [SupportedOSPlatform("macos")]
    [SupportedOSPlatform("windows")]
    public void System_Net_Quic_refuses_what_it_does_not_have()
    {
        SystemNetQuicTransport.ThrowIfImpossible(new TransportOptions());
        SystemNetQuicTransport.ThrowIfImpossible(new TransportOptions { CongestionControl = CongestionControl.Cubic });
        foreach (CongestionControl other in new[] { CongestionControl.Bbr, CongestionControl.NewReno })
        {
            TransportException refusal = Assert.ThrowsExactly<TransportException>(
                () => SystemNetQuicTransport.ThrowIfImpossible(new TransportOptions { CongestionControl = other }));
            Assert.AreEqual(TransportErrorReason.NotSupported, refusal.Reason);
            Assert.Contains("managed engine", refusal.Message);
        }
    }
}
