using System.Collections.Concurrent;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.MsQuic.Native;
using Post.Quic.Tests.Links;
using Post.Sockets;

namespace Post.Quic.Interop.Tests.MsQuic;

/// <summary>Retry (RFC 9000 section 8.1.2) between our engine and msquic, seen in the datagrams on their way.</summary>
[TestClass]
[DoNotParallelize] // msquic has the limit that makes it send Retry once for the whole process.
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class MsQuicRetryTests
{
    /// <summary>QUIC_PARAM_GLOBAL_RETRY_MEMORY_PERCENT: how much of the memory handshakes may take before there are Retries.</summary>
    private const uint RetryMemoryShare = 0x01000000;

    private readonly ConcurrentQueue<byte> _firstBytes = new();

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestInitialize]
    public async Task RequireMsQuicAsync() => await global::Post.Quic.Tests.Transports.MsQuicPlatform.CreateTransport().DisposeAsync();

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task Our_client_proves_its_address_to_msquic()
    {
        Assert.IsTrue(MsQuicTable.TryOpen(out MsQuicTable? table, out string? obstacle), obstacle);
        byte[] usual = new byte[sizeof(ushort)];
        Assert.IsTrue(table.TryGetParam(0, RetryMemoryShare, usual, out _));
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        try
        {
            Assert.IsTrue(table.TrySetParam(0, RetryMemoryShare, new byte[sizeof(ushort)]));
            await using MsQuicEchoListener listener = await MsQuicEchoListener.ListenAsync(identity, Cancel);
            await using UdpRelay relay = Watch(new UdpRelay(listener.EndPoint));
            await using Engine.QuicConnection client = await Engine.QuicConnection.ConnectAsync(
                new Engine.QuicClientConnectionOptions
                {
                    RemoteEndPoint = relay.EndPoint,
                    ClientAuthenticationOptions = PinnedTls.Client(identity),
                },
                Cancel);
            Engine.QuicStream stream = await client.OpenOutboundStreamAsync(Engine.QuicStreamType.Bidirectional, Cancel);

            await EchoAsync(stream, bytes => stream.WriteAsync(bytes, true, Cancel));

            await listener.Serving;
            Assert.AreEqual(1, Retries, "msquic was told to send Retry to everybody.");
        }
        finally
        {
            table.TrySetParam(0, RetryMemoryShare, usual);
        }
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task The_client_of_msquic_proves_its_address_to_our_server()
    {
        using X509Certificate2 identity = Identity.CreateSelfSigned();
        await using ManagedEchoListener listener = await ManagedEchoListener.ListenAsync(identity, Cancel, Engine.QuicRetryPolicy.Always);
        await using UdpRelay relay = Watch(new UdpRelay(listener.EndPoint));
        await using System.Net.Quic.QuicConnection client = await System.Net.Quic.QuicConnection.ConnectAsync(
            new System.Net.Quic.QuicClientConnectionOptions
            {
                RemoteEndPoint = relay.EndPoint,
                DefaultCloseErrorCode = 0,
                DefaultStreamErrorCode = 0,
                ClientAuthenticationOptions = PinnedTls.Client(identity),
            },
            Cancel);
        await using System.Net.Quic.QuicStream stream =
            await client.OpenOutboundStreamAsync(System.Net.Quic.QuicStreamType.Bidirectional, Cancel);

        await EchoAsync(stream, bytes => stream.WriteAsync(bytes, true, Cancel));

        await listener.Serving;
        Assert.AreEqual(1, Retries, "Our server was told to send Retry to everybody.");
    }

    // RFC 9000 section 17.2.5: a long header of type 3.
    private int Retries => _firstBytes.Count(first => (first & 0xF0) == 0xF0);

    private UdpRelay Watch(UdpRelay relay)
    {
        relay.Down.Sniffer = datagram => _firstBytes.Enqueue(datagram[0]);
        return relay;
    }

    private async Task EchoAsync(Stream stream, Func<ReadOnlyMemory<byte>, ValueTask> write)
    {
        byte[] sent = RandomNumberGenerator.GetBytes(100_000);
        Task writing = write(sent).AsTask();
        using var received = new MemoryStream();
        await stream.CopyToAsync(received, Cancel);
        await writing;
        CollectionAssert.AreEqual(sent, received.ToArray());
    }
}
