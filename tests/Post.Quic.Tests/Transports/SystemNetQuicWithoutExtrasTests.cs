using System.Runtime.Versioning;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>The public API of System.Net.Quic alone keeps the contract, too.</summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class SystemNetQuicWithoutExtrasTests : TransportContractTests
{
    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task It_states_nothing_and_keeps_out_of_what_it_does_not_state()
    {
        await using TransportPair pair = await PairAsync();

        Assert.AreEqual(TransportCapabilities.None, pair.Client.Capabilities);
        Assert.AreEqual(0, pair.Client.MaxDatagramSize);
        Assert.AreEqual(TransportDatagramResult.Unavailable, pair.Client.TrySendDatagram([1], TransportPriority.Control, 1));
        Assert.AreEqual(default, pair.Client.GetStatistics());
        TransportException refused = await Assert.ThrowsExactlyAsync<TransportException>(
            () => pair.Client.MigrateAsync(null, Cancel).AsTask());
        Assert.AreEqual(TransportErrorReason.NotSupported, refused.Reason);
    }

    protected override PostTransport CreateTransport() => MsQuic.CreateTransport(useExtras: false);
}
