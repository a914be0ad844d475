using System.Net;
using System.Security.Cryptography;
using Post.Quic.Engine.Tests.Udp;
using Post.Tests;

namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>
/// Client and server in two network namespaces with two links between them, so that addresses, routes and an MTU of 1500
/// are real. Sockets stay in the namespace of the thread that opened them.
/// </summary>
[TestClass]
public sealed class LinkMigrationTests
{
    private const int LargestPayload = 1500 - 28;

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestMethod]
    [Timeout(60_000)]
    public void A_client_moves_from_one_link_to_the_other_and_the_first_goes_down() =>
        TwoLinkNetwork.Run(ListenAsync, (listener, _) => MoveInMidTransfer(listener.LocalEndPoint.Port, listener));

    [TestMethod]
    [Timeout(60_000)]
    [DataRow(false)]
    [DataRow(true)]
    public void A_client_that_asked_for_no_address_goes_on_over_the_other_link_when_its_own_goes_down(bool movedBefore) =>
        TwoLinkNetwork.Run(ListenAsync, (listener, _) => LoseTheLink(listener.LocalEndPoint.Port, listener, movedBefore));

    private static Task<QuicListener> ListenAsync() => LoopbackPair.ListenAsync(
        listen: options => options with { ListenEndPoint = new IPEndPoint(IPAddress.Any, 0) }).AsTask();

    private void LoseTheLink(int port, QuicListener listener, bool movedBefore)
    {
        Task<QuicConnection> accepting = listener.AcceptConnectionAsync(Cancel).AsTask();
        QuicConnection client = Wait(QuicConnection.ConnectAsync(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = new IPEndPoint(IPAddress.Parse(TwoLinkNetwork.ServerHost), port),
                ClientAuthenticationOptions = LoopbackPair.ClientAuthentication(),
            },
            Cancel).AsTask());
        QuicConnection server = Wait(accepting);
        try
        {
            if (movedBefore)
            {
                WaitUntilConfirmed(client);
                Wait(client.MigrateAsync(null, Cancel).AsTask());
            }

            QuicStream outbound = Wait(client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel).AsTask());
            Wait(outbound.WriteAsync(new byte[10], Cancel).AsTask());
            QuicStream inbound = Wait(server.AcceptInboundStreamAsync(Cancel).AsTask());
            _ = EchoAsync(inbound);
            Wait(outbound.ReadExactlyAsync(new byte[10], Cancel).AsTask());
            Assert.AreEqual("10.77.1.2", client.GetPaths().Single(path => path.IsActive).LocalEndPoint.Address.ToString());

            SystemCommand.Run("ip link set c1 down");
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            Wait(outbound.WriteAsync(new byte[10], Cancel).AsTask());
            Wait(outbound.ReadExactlyAsync(new byte[10], Cancel).AsTask());

            // Three probe timeouts are less than a second here; a machine under load may take longer, and the idle timeout is 30 s.
            Assert.IsLessThan(TimeSpan.FromSeconds(3), System.Diagnostics.Stopwatch.GetElapsedTime(start));
            QuicPath active = client.GetPaths().Single(path => path.IsActive);
            Assert.AreEqual("10.77.2.2", active.LocalEndPoint.Address.ToString());
            Assert.IsTrue(active.IsValidated);
            Assert.AreEqual("10.77.2.2", server.RemoteEndPoint.Address.ToString());
        }
        finally
        {
            Wait(client.DisposeAsync().AsTask());
            Wait(server.DisposeAsync().AsTask());
        }
    }

    private void MoveInMidTransfer(int port, QuicListener listener)
    {
        byte[] data = RandomNumberGenerator.GetBytes(3_000_000);
        Task<QuicConnection> accepting = listener.AcceptConnectionAsync(Cancel).AsTask();
        QuicConnection client = Wait(QuicConnection.ConnectAsync(
            new QuicClientConnectionOptions
            {
                RemoteEndPoint = new IPEndPoint(IPAddress.Parse(TwoLinkNetwork.ServerHost), port),
                LocalEndPoint = new IPEndPoint(IPAddress.Parse("10.77.1.2"), 0),
                ClientAuthenticationOptions = LoopbackPair.ClientAuthentication(),
            },
            Cancel).AsTask());
        QuicConnection server = Wait(accepting);
        try
        {
            QuicStream outbound = Wait(client.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel).AsTask());
            Wait(outbound.WriteAsync(data.AsMemory(0, 1_000_000), Cancel).AsTask(), () =>
            {
                QuicStream inbound = Wait(server.AcceptInboundStreamAsync(Cancel).AsTask());
                return EchoAsync(inbound);
            });

            WaitUntilConfirmed(client);
            Wait(client.MigrateAsync(new IPEndPoint(IPAddress.Parse("10.77.2.2"), 0), Cancel).AsTask());
            SystemCommand.Run("ip link set c1 down");
            Task writing = outbound.WriteAsync(data.AsMemory(1_000_000), completeWrites: true, Cancel).AsTask();
            byte[] echoed = new byte[data.Length];
            Wait(outbound.ReadExactlyAsync(echoed, Cancel).AsTask());
            Wait(writing);

            CollectionAssert.AreEqual(data, echoed);
            Assert.AreEqual("10.77.2.2", client.LocalEndPoint.Address.ToString());
            Assert.AreEqual("10.77.2.2", server.RemoteEndPoint.Address.ToString());
            QuicPath active = client.GetPaths().Single(path => path.IsActive);
            Assert.IsTrue(active.IsValidated);
            Assert.IsGreaterThanOrEqualTo(1200, active.Mtu);
            Assert.IsLessThanOrEqualTo(LargestPayload, active.Mtu, "nothing larger passes the link");
        }
        finally
        {
            Wait(client.DisposeAsync().AsTask());
            Wait(server.DisposeAsync().AsTask());
        }
    }

    /// <summary>
    /// A move waits for that, and would go on on another thread; but the new socket belongs to the namespace of the thread that opens it.
    /// </summary>
    private static void WaitUntilConfirmed(QuicConnection client) => Assert.IsTrue(SpinWait.SpinUntil(
        () =>
        {
            lock (client.Driver.Gate)
            {
                return client.Driver.Core.IsHandshakeConfirmed;
            }
        },
        TimeSpan.FromSeconds(20)));

    private async Task EchoAsync(QuicStream stream)
    {
        byte[] buffer = new byte[64 * 1024];
        int count;
        while ((count = await stream.ReadAsync(buffer, Cancel)) != 0)
        {
            await stream.WriteAsync(buffer.AsMemory(0, count), Cancel);
        }

        stream.CompleteWrites();
    }

    private T Wait<T>(Task<T> task) => task.WaitAsync(TimeSpan.FromSeconds(20), Cancel).GetAwaiter().GetResult();

    private void Wait(Task task) => task.WaitAsync(TimeSpan.FromSeconds(20), Cancel).GetAwaiter().GetResult();

    private void Wait(Task first, Func<Task> beside)
    {
        // What is beside lasts longer than this wait; its failure shows in what it was to bring.
        _ = beside();
        Wait(first);
    }
}
