using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Udp;
using static Post.Quic.Engine.Tests.Udp.UdpTestSockets;

namespace Post.Quic.Engine.Tests.Udp;

/// <summary>Interfaces with a small MTU and a slow line, which loopback is not by itself.</summary>
[TestClass]
public sealed class PrivateNetworkTests
{
    private const string SmallMtu = "ip link set lo up mtu 1500";

    [TestMethod]
    [DataRow(Linux, "127.0.0.1", 1472)]
    [DataRow(Linux, "::1", 1452)]
    [DataRow(Portable, "127.0.0.1", 1472)]
    [DataRow(Portable, "::1", 1452)]
    public void Datagrams_above_the_MTU_are_too_big_alone_and_in_a_batch(string kind, string address, int largest) =>
        PrivateNetwork.Run([SmallMtu], () =>
        {
            (UdpSocket server, CollectingReceiver atServer) = Start(kind, address);
            using UdpSocket client = Open(kind, address);
            using (server)
            {
                UdpRoute route = To(server);
                Assert.AreEqual(UdpSendResult.TooBig, client.Send(new byte[largest + 1], largest + 1, route, default, out int sent));
                Assert.AreEqual(0, sent);
                Assert.AreEqual(UdpSendResult.TooBig, client.Send(new byte[9 * (largest + 1)], largest + 1, route, default, out sent));
                Assert.AreEqual(0, sent);

                // What fits goes, and still in batches.
                byte[] payload = Pattern(9 * largest);
                Assert.AreEqual(UdpSendResult.Sent, client.Send(payload, largest, route, default, out sent));
                Assert.AreEqual(payload.Length, sent);
                for (int i = 0; i < 9; i++)
                {
                    CollectingReceiver.Datagram received = atServer.NextAsync().GetAwaiter().GetResult();
                    CollectionAssert.AreEqual(payload[(i * largest)..((i + 1) * largest)], received.Bytes, $"datagram {i}");
                }

                if (kind == Linux)
                {
                    Assert.AreEqual(9, atServer.LargestBatch);
                }
            }
        });

    [TestMethod]
    [DataRow(Linux)]
    [DataRow(Portable)]
    public void A_full_send_buffer_would_block_and_the_socket_says_when_it_no_longer_does(string kind) =>
        PrivateNetwork.Run(
            [SmallMtu, "tc qdisc add dev lo root tbf rate 20mbit burst 32kbit latency 10s"],
            () =>
            {
                (UdpSocket server, _) = Start(kind, "127.0.0.1");
                (UdpSocket client, CollectingReceiver atClient) = Start(
                    kind, "127.0.0.1", o => o with { SendBufferSize = 65536 });
                using (server)
                using (client)
                {
                    UdpRoute route = To(server);
                    byte[] payload = new byte[12000];
                    UdpSendResult result = UdpSendResult.Sent;
                    int total = 0;
                    for (int i = 0; i < 1000 && result == UdpSendResult.Sent; i++)
                    {
                        result = client.Send(payload, 1200, route, EcnCodepoint.NotEct, out int sent);
                        total += sent;
                    }

                    Assert.AreEqual(UdpSendResult.WouldBlock, result);
                    Assert.IsGreaterThan(0, total);
                    atClient.WritableAsync().GetAwaiter().GetResult();
                    Assert.IsTrue(SpinWait.SpinUntil(
                        () => client.Send([1], 1, route, EcnCodepoint.NotEct, out _) == UdpSendResult.Sent,
                        TimeSpan.FromSeconds(10)));
                }
            });

    [TestMethod]
    public void A_link_local_address_keeps_its_interface_both_ways() =>
        PrivateNetwork.Run([SmallMtu, "ip addr add fe80::7/64 dev lo nodad"], () =>
        {
            (UdpSocket server, CollectingReceiver atServer) = Start(Linux, "::");
            (UdpSocket client, CollectingReceiver atClient) = Start(Linux, "::");
            using (server)
            using (client)
            {
                // The kernel installs a new address's route a moment later; what is sent before that is lost.
                Task<CollectingReceiver.Datagram> next = atServer.NextAsync();
                do
                {
                    Assert.AreEqual(
                        UdpSendResult.Sent,
                        client.Send([1], 1, To(server, "fe80::7%1"), EcnCodepoint.NotEct, out _));
                }
                while (!next.Wait(TimeSpan.FromMilliseconds(20)));

                CollectingReceiver.Datagram received = next.Result;
                Assert.AreEqual(Address("fe80::7%1", server.LocalAddress.Port), received.Local);
                Assert.AreEqual(1u, received.Remote.ScopeId);
                var back = new UdpRoute(received.Remote, received.Local);
                Assert.AreEqual(UdpSendResult.Sent, server.Send([2], 1, back, EcnCodepoint.NotEct, out _));
                Assert.AreEqual(received.Local, atClient.NextAsync().GetAwaiter().GetResult().Remote);
            }
        });
}
