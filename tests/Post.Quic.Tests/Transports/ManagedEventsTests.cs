using Post.Quic.Engine;
using Post.Quic.Managed;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.Transports;

[TestClass]
public sealed class ManagedEventsTests
{
    [TestMethod]
    public void A_flood_before_somebody_listens_is_bounded_and_displaces_neither_the_handshake_nor_the_end()
    {
        var events = new ManagedEvents(isClient: false);
        for (int i = 0; i < 1_000; i++)
        {
            events.OnDatagramReceived([1], isEarlyData: true, arrivedAt: 1);
        }

        events.OnHandshakeComplete();
        events.OnClosed(new QuicException(QuicError.ConnectionIdle, null, null, "idle"));
        var seen = new Counts();
        events.Attach(seen);

        Assert.AreEqual(256, seen.Datagrams);
        Assert.AreEqual(1, seen.Handshakes, "without it, nothing but early data would ever be taken");
        Assert.AreEqual(1, seen.Ends, "without it, the association would never end");
    }

    private sealed class Counts : TransportEvents
    {
        public int Datagrams { get; private set; }

        public int Handshakes { get; private set; }

        public int Ends { get; private set; }

        public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt) => Datagrams++;

        public override void OnHandshakeCompleted() => Handshakes++;

        public override void OnClosed(TransportException reason) => Ends++;
    }
}
