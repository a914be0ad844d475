using Post.Quic.Engine;
using Post.Quic.Managed;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

/// <summary>The groups that the options name are those that both sides of the managed engine go by.</summary>
[TestClass]
public sealed class KeyExchangeGroupTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    [DataRow(QuicKeyExchangeGroup.Secp384r1, QuicKeyExchangeGroup.Secp384r1, true)]
    [DataRow(QuicKeyExchangeGroup.Secp384r1, QuicKeyExchangeGroup.Secp256r1, false)]
    public async Task Two_sides_meet_in_a_group_that_both_name(QuicKeyExchangeGroup client, QuicKeyExchangeGroup server, bool meet)
    {
        Task<TransportPair> connecting = TransportPair.ConnectAsync(Only(client), Only(server), null, null, null, null, TestContext.CancellationToken);
        if (meet)
        {
            await (await connecting).DisposeAsync();
        }
        else
        {
            TransportException failure = await Assert.ThrowsExactlyAsync<TransportException>(() => connecting);
            Assert.AreEqual(TransportErrorReason.AuthenticationFailed, failure.Reason);
        }
    }

    private static ManagedTransport Only(QuicKeyExchangeGroup group) => new(new ManagedTransportOptions { KeyExchangeGroups = [group] });
}
