using System.Net;
using System.Net.Sockets;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Udp;
using static Post.Quic.Engine.Tests.Udp.UdpTestSockets;

namespace Post.Quic.Engine.Tests.Udp;

/// <summary>What every implementation of the socket does, over loopback.</summary>
[TestClass]
public sealed class UdpSocketTests
{
    [TestMethod]
    [DataRow(Linux, "127.0.0.1")]
    [DataRow(Linux, "::1")]
    [DataRow(Portable, "127.0.0.1")]
    [DataRow(Portable, "::1")]
    public async Task A_datagram_arrives_with_both_addresses(string kind, string address)
    {
        (UdpSocket server, CollectingReceiver atServer) = Start(kind, address, o => o with { DedicatedThread = true });
        (UdpSocket client, CollectingReceiver atClient) = Start(kind, address);
        using (server)
        using (client)
        {
            byte[] question = Pattern(1200);
            Assert.AreEqual(UdpSendResult.Sent, client.Send(question, question.Length, To(server), EcnCodepoint.NotEct, out int sent));
            Assert.AreEqual(question.Length, sent);
            CollectingReceiver.Datagram received = await atServer.NextAsync();
            CollectionAssert.AreEqual(question, received.Bytes);
            Assert.AreEqual(client.LocalAddress, received.Remote);
            Assert.AreEqual(server.LocalAddress, received.Local);

            byte[] answer = Pattern(33);
            var back = new UdpRoute(received.Remote, received.Local);
            Assert.AreEqual(UdpSendResult.Sent, server.Send(answer, answer.Length, back, EcnCodepoint.NotEct, out _));
            CollectingReceiver.Datagram echoed = await atClient.NextAsync();
            CollectionAssert.AreEqual(answer, echoed.Bytes);
            Assert.AreEqual(server.LocalAddress, echoed.Remote);
        }
    }

    [TestMethod]
    [DataRow(Linux, "0.0.0.0")]
    [DataRow(Linux, "::")]
    [DataRow(Portable, "0.0.0.0")]
    [DataRow(Portable, "::")]
    public async Task A_socket_on_no_address_answers_from_the_one_that_was_asked(string kind, string address)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Inconclusive("Only on Linux is all of 127.0.0.0/8 of this machine.");
        }

        (UdpSocket server, CollectingReceiver atServer) = Start(kind, address);
        using (server)
        {
            // The second question finds what the first one opened.
            foreach (string asked in new[] { "127.0.0.2", "127.0.0.3", "127.0.0.2" })
            {
                (UdpSocket client, CollectingReceiver atClient) = Start(kind, "127.0.0.1");
                using (client)
                {
                    Assert.AreEqual(UdpSendResult.Sent, client.Send([1], 1, To(server, asked), EcnCodepoint.NotEct, out _));
                    CollectingReceiver.Datagram question = await atServer.NextAsync();
                    Assert.AreEqual(Address(asked, server.LocalAddress.Port), question.Local);

                    var back = new UdpRoute(question.Remote, question.Local);
                    Assert.AreEqual(UdpSendResult.Sent, server.Send([2], 1, back, EcnCodepoint.NotEct, out _));
                    Assert.AreEqual(Address(asked, server.LocalAddress.Port), (await atClient.NextAsync()).Remote);
                }
            }

            SocketException taken = Assert.ThrowsExactly<SocketException>(
                () => Open(kind, address, o => o with { LocalAddress = server.LocalAddress }));
            Assert.AreEqual(SocketError.AddressAlreadyInUse, taken.SocketErrorCode, "A second server is told.");
        }
    }

    [TestMethod]
    [DataRow(Linux)]
    [DataRow(Portable)]
    public async Task A_dual_stack_socket_serves_both_families_in_one_form_of_address(string kind)
    {
        (UdpSocket server, CollectingReceiver atServer) = Start(kind, "::");
        (UdpSocket old, CollectingReceiver atOld) = Start(kind, "127.0.0.1");
        (UdpSocket young, CollectingReceiver atYoung) = Start(kind, "::1");
        using (server)
        using (old)
        using (young)
        {
            foreach ((UdpSocket client, CollectingReceiver atClient, string host) in
                new[] { (old, atOld, "127.0.0.1"), (young, atYoung, "::1") })
            {
                Assert.AreEqual(UdpSendResult.Sent, client.Send([1, 2, 3], 3, To(server, host), EcnCodepoint.NotEct, out _));
                CollectingReceiver.Datagram received = await atServer.NextAsync();
                Assert.AreEqual(client.LocalAddress, received.Remote);
                var back = new UdpRoute(received.Remote, received.Local);
                Assert.AreEqual(UdpSendResult.Sent, server.Send([4], 1, back, EcnCodepoint.NotEct, out _));
                Assert.AreEqual(Address(host, server.LocalAddress.Port), (await atClient.NextAsync()).Remote);
            }
        }
    }

    [TestMethod]
    [DataRow(Linux, "127.0.0.1", true, true)]
    [DataRow(Linux, "127.0.0.1", true, false)]
    [DataRow(Linux, "127.0.0.1", false, true)]
    [DataRow(Linux, "::1", true, true)]
    [DataRow(Linux, "::1", true, false)]
    [DataRow(Portable, "127.0.0.1", false, false)]
    [DataRow(Portable, "::1", false, false)]
    public async Task A_batch_arrives_intact_whatever_either_side_batches(string kind, string address, bool segments, bool coalesces)
    {
        (UdpSocket server, CollectingReceiver atServer) = Start(kind, address, o => o with { AllowCoalescing = coalesces });
        UdpSocket client = Open(kind, address, o => o with { AllowSegmentation = segments });
        using (server)
        using (client)
        {
            // Also more segments, and more bytes, than one call may carry.
            foreach ((int size, int count, int tail) in new[] { (1200, 40, 7), (1200, 55, 0), (300, 150, 299), (9000, 16, 1), (50, 1, 0) })
            {
                byte[] payload = Pattern((size * count) + tail, size);
                Assert.AreEqual(UdpSendResult.Sent, client.Send(payload, size, To(server), EcnCodepoint.NotEct, out int sent));
                Assert.AreEqual(payload.Length, sent);
                for (int offset = 0; offset < payload.Length; offset += size)
                {
                    byte[] expected = payload[offset..Math.Min(offset + size, payload.Length)];
                    CollectionAssert.AreEqual(expected, (await atServer.NextAsync()).Bytes, $"{count} of {size}, at {offset}");
                }
            }

            Assert.IsFalse(atServer.HasMore);
            if (segments && coalesces && server.Features.HasFlag(UdpFeatures.Coalescing))
            {
                Assert.IsGreaterThan(30, atServer.LargestBatch);
            }
            else if (!coalesces)
            {
                Assert.AreEqual(1, atServer.LargestBatch);
            }
        }
    }

    [TestMethod]
    [DataRow(Linux, "127.0.0.1")]
    [DataRow(Linux, "::1")]
    [DataRow(Portable, "127.0.0.1")]
    [DataRow(Portable, "::1")]
    public async Task An_oversize_datagram_is_reported_and_the_socket_goes_on(string kind, string address)
    {
        (UdpSocket server, CollectingReceiver atServer) = Start(kind, address);
        using UdpSocket client = Open(kind, address);
        using (server)
        {
            Assert.AreEqual(
                UdpSendResult.TooBig,
                client.Send(new byte[65536], 65536, To(server), EcnCodepoint.NotEct, out int sent));
            Assert.AreEqual(0, sent);
            Assert.AreEqual(UdpSendResult.Sent, client.Send([7], 1, To(server), EcnCodepoint.NotEct, out _));
            CollectionAssert.AreEqual(new byte[] { 7 }, (await atServer.NextAsync()).Bytes);
        }
    }

    [TestMethod]
    [DataRow(Linux)]
    [DataRow(Portable)]
    public async Task An_empty_datagram_is_a_datagram(string kind)
    {
        (UdpSocket server, CollectingReceiver atServer) = Start(kind, "127.0.0.1");
        using UdpSocket client = Open(kind, "127.0.0.1");
        using (server)
        {
            Assert.AreEqual(UdpSendResult.Sent, client.Send([], 1, To(server), EcnCodepoint.NotEct, out _));
            Assert.IsEmpty((await atServer.NextAsync()).Bytes);
        }
    }

    [TestMethod]
    [DataRow(Linux)]
    [DataRow(Portable)]
    public async Task A_port_that_nobody_listens_on_disturbs_nothing(string kind)
    {
        (UdpSocket socket, CollectingReceiver receiver) = Start(kind, "127.0.0.1");
        using (socket)
        {
            UdpSocket gone = Open(kind, "127.0.0.1");
            UdpRoute nowhere = To(gone);
            gone.Dispose();
            for (int i = 0; i < 20; i++)
            {
                Assert.AreEqual(UdpSendResult.Sent, socket.Send([1], 1, nowhere, EcnCodepoint.NotEct, out _));
            }

            Assert.AreEqual(UdpSendResult.Sent, socket.Send([2], 1, To(socket), EcnCodepoint.NotEct, out _));
            CollectionAssert.AreEqual(new byte[] { 2 }, (await receiver.NextAsync()).Bytes);
        }
    }

    [TestMethod]
    [DataRow(Linux)]
    [DataRow(Portable)]
    public void What_cannot_be_reached_is_a_result_and_no_exception(string kind)
    {
        using UdpSocket socket = Open(kind, "127.0.0.1");
        var overIPv6 = new UdpRoute(Address("::1", 9));
        Assert.AreEqual(UdpSendResult.Unreachable, socket.Send([1], 1, overIPv6, EcnCodepoint.NotEct, out int sent));
        Assert.AreEqual(0, sent);

        // A socket bound to loopback has no way out of the machine.
        var abroad = new UdpRoute(Address("192.0.2.1", 9));
        Assert.AreEqual(UdpSendResult.InvalidAddress, socket.Send([1], 1, abroad, EcnCodepoint.NotEct, out _));
    }

    [TestMethod]
    [DataRow(Linux)]
    [DataRow(Portable)]
    public async Task Whoever_asks_is_told_that_the_socket_is_writable(string kind)
    {
        (UdpSocket socket, CollectingReceiver receiver) = Start(kind, "127.0.0.1");
        using (socket)
        {
            socket.NotifyWhenWritable();
            await receiver.WritableAsync();
        }
    }

    [TestMethod]
    [DataRow(Linux, true)]
    [DataRow(Linux, false)]
    [DataRow(Portable, false)]
    public async Task Closing_in_the_middle_of_a_flood_ends_the_calls(string kind, bool dedicated)
    {
        for (int round = 0; round < 10; round++)
        {
            (UdpSocket server, CollectingReceiver atServer) = Start(kind, "127.0.0.1", o => o with { DedicatedThread = dedicated });
            using UdpSocket client = Open(kind, "127.0.0.1");
            UdpRoute route = To(server);
            byte[] payload = new byte[12000];
            using var stop = new CancellationTokenSource();
            Task flood = Task.Run(() =>
            {
                while (!stop.IsCancellationRequested)
                {
                    _ = client.Send(payload, 1200, route, EcnCodepoint.NotEct, out _);
                }
            });
            _ = await atServer.NextAsync();
            server.Dispose();
            server.Dispose();
            await server.Completion.WaitAsync(TimeSpan.FromSeconds(20));
            int calls = atServer.Calls;
            Assert.AreEqual(UdpSendResult.Closed, server.Send([1], 1, route, EcnCodepoint.NotEct, out _));

            // The port is free: whoever binds it now gets what the flood still sends, and the old receiver nothing.
            (UdpSocket next, CollectingReceiver atNext) = Start(
                kind, "127.0.0.1", o => o with { LocalAddress = route.Remote });
            using (next)
            {
                _ = await atNext.NextAsync();
                await stop.CancelAsync();
                await flood;
            }

            Assert.AreEqual(calls, atServer.Calls);
        }
    }

    [TestMethod]
    [DataRow(Linux)]
    [DataRow(Portable)]
    public async Task Closing_wakes_a_socket_that_waits(string kind)
    {
        (UdpSocket socket, _) = Start(kind, "127.0.0.1");
        socket.Dispose();
        await socket.Completion.WaitAsync(TimeSpan.FromSeconds(20));

        UdpSocket neverStarted = Open(kind, "127.0.0.1");
        neverStarted.Dispose();
        await neverStarted.Completion.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [TestMethod]
    [DataRow(Linux)]
    [DataRow(Portable)]
    public async Task A_receiver_that_throws_closes_its_own_socket_only(string kind)
    {
        UdpSocket broken = Open(kind, "127.0.0.1");
        broken.Start(new ThrowingReceiver());
        (UdpSocket sound, CollectingReceiver receiver) = Start(kind, "127.0.0.1");
        using (sound)
        {
            Assert.AreEqual(UdpSendResult.Sent, sound.Send([1], 1, To(broken), EcnCodepoint.NotEct, out _));
            await Assert.ThrowsExactlyAsync<InvalidTimeZoneException>(
                () => broken.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
            Assert.AreEqual(UdpSendResult.Sent, sound.Send([2], 1, To(sound), EcnCodepoint.NotEct, out _));
            CollectionAssert.AreEqual(new byte[] { 2 }, (await receiver.NextAsync()).Bytes);
        }
    }

    [TestMethod]
    [DataRow(Linux)]
    [DataRow(Portable)]
    public async Task Many_client_sockets_share_what_serves_them(string kind)
    {
        const int Clients = 150;
        (UdpSocket server, CollectingReceiver atServer) = Start(kind, "127.0.0.1", o => o with { DedicatedThread = true });
        using (server)
        {
            for (int round = 0; round < 2; round++)
            {
                var clients = new List<(UdpSocket Socket, CollectingReceiver Receiver)>();
                for (int i = 0; i < Clients; i++)
                {
                    clients.Add(Start(kind, "127.0.0.1", o => o with { ReceiveBufferSize = 65536, SendBufferSize = 65536 }));
                    Assert.AreEqual(
                        UdpSendResult.Sent, clients[i].Socket.Send([(byte)i], 1, To(server), EcnCodepoint.NotEct, out _));
                }

                for (int i = 0; i < Clients; i++)
                {
                    CollectingReceiver.Datagram question = await atServer.NextAsync();
                    Assert.AreEqual(
                        UdpSendResult.Sent,
                        server.Send(question.Bytes, 1, new UdpRoute(question.Remote), EcnCodepoint.NotEct, out _));
                }

                for (int i = 0; i < Clients; i++)
                {
                    CollectionAssert.AreEqual(new[] { (byte)i }, (await clients[i].Receiver.NextAsync()).Bytes);
                    clients[i].Socket.Dispose();
                }
            }
        }
    }

    [TestMethod]
    [DataRow(Linux)]
    [DataRow(Portable)]
    public void A_socket_starts_once_and_not_after_its_end(string kind)
    {
        UdpSocket socket = Open(kind, "127.0.0.1");
        socket.Start(new CollectingReceiver());
        Assert.ThrowsExactly<InvalidOperationException>(() => socket.Start(new CollectingReceiver()));
        socket.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => socket.Start(new CollectingReceiver()));
        Assert.ThrowsExactly<SocketException>(() => Open(kind, "192.0.2.1"));
    }

    [TestMethod]
    [DataRow("127.0.0.1", 4433, 0u, false)]
    [DataRow("127.0.0.1", 4433, 0u, true)]
    [DataRow("2001:db8::1", 1, 0u, true)]
    [DataRow("fe80::1", 65535, 3u, true)]
    public void Addresses_survive_the_form_of_the_kernel(string host, int port, uint scope, bool isIPv6Socket)
    {
        var address = NetworkAddress.FromBytes(IPAddress.Parse(host).GetAddressBytes(), (ushort)port, scope);
        byte[] sockaddr = new byte[SocketAddressCodec.IPv6Length];
        Assert.IsTrue(SocketAddressCodec.TryWrite(address, isIPv6Socket, sockaddr));
        Assert.AreEqual(address, SocketAddressCodec.Read(sockaddr, isIPv6Socket));

        IPEndPoint endPoint = address.ToEndPoint(mapped: isIPv6Socket);
        byte[] ofPlatform = endPoint.Serialize().Buffer.ToArray();
        Assert.IsTrue(ofPlatform.AsSpan(2).SequenceEqual(sockaddr.AsSpan(2, ofPlatform.Length - 2)));
    }

    private sealed class ThrowingReceiver : IUdpReceiver
    {
        public void OnReceive(UdpReceiveBatch batch) => throw new InvalidTimeZoneException();

        public void OnWritable()
        {
        }
    }
}
