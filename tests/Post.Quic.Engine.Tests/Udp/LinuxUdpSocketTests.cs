using System.Net.NetworkInformation;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Udp;
using static Post.Quic.Engine.Tests.Udp.UdpTestSockets;

namespace Post.Quic.Engine.Tests.Udp;

/// <summary>What only the Linux socket can do.</summary>
[TestClass]
public sealed class LinuxUdpSocketTests
{
    [TestMethod]
    [Timeout(30_000)]
    [DataRow("127.0.0.1", "127.0.0.1")]
    [DataRow("::1", "::1")]
    [DataRow("::", "127.0.0.1")]
    public async Task What_the_network_says_of_a_datagram_is_heard_with_its_beginning_and_closes_nothing(string own, string host)
    {
        (UdpSocket socket, CollectingReceiver receiver) = Start(Linux, own, static options => options with { HearErrors = true });
        (UdpSocket other, _) = Start(Linux, host);
        using (socket)
        using (other)
        {
            UdpRoute closed;
            using (UdpSocket gone = Open(Linux, host))
            {
                closed = To(gone);
            }

            // One past what a broken socket may fail in a row, several times over.
            byte[] question = Pattern(40);
            for (int i = 0; i < 300; i++)
            {
                Assert.AreEqual(UdpSendResult.Sent, socket.Send(question, question.Length, closed, EcnCodepoint.NotEct, out _));
            }

            while (receiver.Errors.IsEmpty)
            {
                await Task.Delay(1);
            }

            Assert.IsTrue(receiver.Errors.TryPeek(out (NetworkAddress Remote, System.Net.Sockets.SocketError Error, byte[] Quoted) heard));
            Assert.AreEqual(closed.Remote, heard.Remote);
            Assert.AreEqual(System.Net.Sockets.SocketError.ConnectionRefused, heard.Error);
            CollectionAssert.AreEqual(question, heard.Quoted);

            Assert.AreEqual(UdpSendResult.Sent, other.Send([1], 1, To(socket, host), EcnCodepoint.NotEct, out _));
            CollectionAssert.AreEqual(new byte[] { 1 }, (await receiver.NextAsync()).Bytes);
        }
    }

    [TestMethod]
    public void The_kernel_here_has_all_that_the_fast_path_wants()
    {
        using UdpSocket socket = Open(Linux, "::");
        Assert.AreEqual(
            UdpFeatures.Segmentation | UdpFeatures.Coalescing | UdpFeatures.Ecn | UdpFeatures.PacketInfo | UdpFeatures.DontFragment
            | UdpFeatures.ArrivalTime,
            socket.Features);
        Assert.IsGreaterThan(0, socket.ReceiveBufferSize);
        using UdpSocket byDefault = UdpSocket.Create(new UdpSocketOptions { LocalAddress = Address("127.0.0.1") });
        Assert.IsInstanceOfType<LinuxUdpSocket>(byDefault);
    }

    [TestMethod]
    [DataRow("127.0.0.1", "127.0.0.1", 1)]
    [DataRow("::1", "::1", 3)]
    [DataRow("::", "127.0.0.1", 3)]
    public async Task What_waited_in_the_kernel_is_as_old_as_it_is(string serverAddress, string host, int batch)
    {
        using UdpSocket server = Open(Linux, serverAddress);
        (UdpSocket client, _) = Start(Linux, host);
        using (client)
        {
            // One that is not started reads nothing, like one whose process stands still.
            var sent = System.Diagnostics.Stopwatch.StartNew();
            Assert.AreEqual(UdpSendResult.Sent, client.Send(new byte[1000 * batch], 1000, To(server, host), EcnCodepoint.NotEct, out _));
            var away = System.Diagnostics.Stopwatch.StartNew();
            await Task.Delay(300);
            long waited = (long)away.Elapsed.TotalMicroseconds;
            var receiver = new CollectingReceiver();
            server.Start(receiver);
            for (int i = 0; i < batch; i++)
            {
                CollectingReceiver.Datagram late = await receiver.NextAsync();
                Assert.IsTrue(
                    late.Age >= waited - 20_000 && late.Age <= sent.Elapsed.TotalMicroseconds + 20_000, $"{late.Age} us old after {waited} us");
            }

            sent.Restart();
            client.Send([1], 1, To(server, host), EcnCodepoint.NotEct, out _);
            long age = (await receiver.NextAsync()).Age;
            Assert.IsLessThanOrEqualTo((long)sent.Elapsed.TotalMicroseconds + 20_000, age);
        }
    }

    [TestMethod]
    public async Task A_clock_that_was_set_makes_nothing_older_than_the_wait()
    {
        var arrivals = new LinuxArrivals();
        await Task.Delay(20);
        long now = (DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) * 100;
        const long Hour = 3_600_000_000_000;
        Assert.AreEqual(0, arrivals.AgeOf(now + Hour), "the clock was set back");
        Assert.IsTrue(arrivals.AgeOf(now - Hour) is >= 20_000 and < Hour / 2000, "the clock was set forward");
        Assert.AreEqual(0, arrivals.AgeOf(0), "no stamp");
        arrivals.OnEmpty();
        Assert.IsLessThan(Hour / 2000, arrivals.AgeOf(long.MinValue + 1));
        Assert.AreEqual(0, arrivals.AgeOf(long.MaxValue));
    }

    [TestMethod]
    [DataRow("127.0.0.1", "127.0.0.1")]
    [DataRow("::1", "::1")]
    [DataRow("::", "::1")]
    [DataRow("::", "127.0.0.1")]
    public async Task Ecn_marks_arrive(string serverAddress, string host)
    {
        (UdpSocket server, CollectingReceiver atServer) = Start(Linux, serverAddress);
        (UdpSocket client, CollectingReceiver atClient) = Start(Linux, host);
        using (server)
        using (client)
        {
            foreach (EcnCodepoint mark in Enum.GetValues<EcnCodepoint>())
            {
                Assert.AreEqual(UdpSendResult.Sent, client.Send(new byte[3000], 1200, To(server, host), mark, out _));
                for (int i = 0; i < 3; i++)
                {
                    Assert.AreEqual(mark, (await atServer.NextAsync()).Ecn);
                }

                Assert.AreEqual(UdpSendResult.Sent, server.Send([1], 1, To(client), mark, out _));
                Assert.AreEqual(mark, (await atClient.NextAsync()).Ecn);
            }
        }
    }

    [TestMethod]
    [DataRow("0.0.0.0")]
    [DataRow("::")]
    public async Task The_local_address_is_seen_and_chosen(string serverAddress)
    {
        (UdpSocket server, CollectingReceiver atServer) = Start(Linux, serverAddress);
        (UdpSocket client, CollectingReceiver atClient) = Start(Linux, "127.0.0.1");
        using (server)
        using (client)
        {
            foreach (string host in new[] { "127.0.0.2", "127.0.0.3" })
            {
                Assert.AreEqual(UdpSendResult.Sent, client.Send([1], 1, To(server, host), EcnCodepoint.NotEct, out _));
                CollectingReceiver.Datagram received = await atServer.NextAsync();
                Assert.AreEqual(Address(host, server.LocalAddress.Port), received.Local);
                Assert.AreNotEqual(0, received.InterfaceIndex);

                // A batch, so that mark, source and segment size go together.
                var back = new UdpRoute(received.Remote, received.Local, received.InterfaceIndex);
                Assert.AreEqual(UdpSendResult.Sent, server.Send(new byte[2000], 1000, back, EcnCodepoint.Ect0, out _));
                for (int i = 0; i < 2; i++)
                {
                    CollectingReceiver.Datagram answer = await atClient.NextAsync();
                    Assert.AreEqual(Address(host, server.LocalAddress.Port), answer.Remote);
                    Assert.AreEqual(EcnCodepoint.Ect0, answer.Ecn);
                    Assert.HasCount(1000, answer.Bytes);
                }
            }
        }
    }

    [TestMethod]
    public async Task The_local_IPv6_address_is_seen_and_chosen()
    {
        (UdpSocket server, CollectingReceiver atServer) = Start(Linux, "::");
        (UdpSocket client, CollectingReceiver atClient) = Start(Linux, "::1");
        using (server)
        using (client)
        {
            Assert.AreEqual(UdpSendResult.Sent, client.Send([1], 1, To(server, "::1"), EcnCodepoint.NotEct, out _));
            CollectingReceiver.Datagram received = await atServer.NextAsync();
            Assert.AreEqual(Address("::1", server.LocalAddress.Port), received.Local);
            var back = new UdpRoute(received.Remote, received.Local);
            Assert.AreEqual(UdpSendResult.Sent, server.Send(new byte[2000], 1000, back, EcnCodepoint.Ect1, out _));
            CollectingReceiver.Datagram answer = await atClient.NextAsync();
            Assert.AreEqual(received.Local, answer.Remote);
            Assert.AreEqual(EcnCodepoint.Ect1, answer.Ecn);
        }
    }

    [TestMethod]
    public void A_source_address_that_is_not_ours_is_unreachable_and_batching_stays_on()
    {
        using UdpSocket server = Open(Linux, "127.0.0.1");
        using UdpSocket client = Open(Linux, "0.0.0.0");
        var route = new UdpRoute(server.LocalAddress, Address("192.0.2.77"));
        Assert.AreEqual(UdpSendResult.Unreachable, client.Send(new byte[5000], 1000, route, EcnCodepoint.NotEct, out int sent));
        Assert.AreEqual(0, sent);
        Assert.IsTrue(client.Features.HasFlag(UdpFeatures.Segmentation));
    }

    [TestMethod]
    public async Task The_interface_can_be_chosen()
    {
        int loopback = NetworkInterface.GetAllNetworkInterfaces()
            .Single(i => i.NetworkInterfaceType == NetworkInterfaceType.Loopback)
            .GetIPProperties().GetIPv4Properties().Index;
        (UdpSocket server, CollectingReceiver atServer) = Start(Linux, "0.0.0.0");
        using UdpSocket client = Open(Linux, "0.0.0.0");
        using (server)
        {
            var route = new UdpRoute(Address("127.0.0.1", server.LocalAddress.Port), NetworkAddress.None, loopback);
            Assert.AreEqual(UdpSendResult.Sent, client.Send([1], 1, route, EcnCodepoint.NotEct, out _));
            Assert.AreEqual(loopback, (await atServer.NextAsync()).InterfaceIndex);

            var nowhere = route with { InterfaceIndex = 1_000_000 };
            Assert.AreNotEqual(UdpSendResult.Sent, client.Send([1], 1, nowhere, EcnCodepoint.NotEct, out _));
        }
    }
}
