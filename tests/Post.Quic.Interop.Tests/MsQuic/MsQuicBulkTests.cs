using System.Runtime.Versioning;
using System.Security.Cryptography;
using Post.Sockets;

namespace Post.Quic.Interop.Tests.MsQuic;

/// <summary>
/// Our engine and msquic by their own APIs, under load: much data both ways, and keys changed in the middle of it.
/// POST_INTEROP_MIB sets how much (100 where nothing else runs; less by default, for the suite's sake).
/// </summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class MsQuicBulkTests
{
    private static readonly int Size =
        (int.TryParse(Environment.GetEnvironmentVariable("POST_INTEROP_MIB"), out int mebibytes) ? mebibytes : 16) << 20;

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestInitialize]
    public async Task RequireMsQuicAsync() => await global::Post.Quic.Tests.Transports.MsQuic.CreateTransport().DisposeAsync();

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    [DataRow(false)]
    [DataRow(true)]
    public async Task Our_client_echoes_much_data_off_msquic(bool updateKeys)
    {
        using var identity = Identity.CreateSelfSigned();
        await using MsQuicEchoListener listener = await MsQuicEchoListener.ListenAsync(identity, Cancel);
        await using Engine.QuicConnection client = await Engine.QuicConnection.ConnectAsync(
            new Engine.QuicClientConnectionOptions
            {
                RemoteEndPoint = listener.EndPoint,
                ClientAuthenticationOptions = PinnedTls.Client(identity),
            },
            Cancel);
        Engine.QuicStream stream = await client.OpenOutboundStreamAsync(Engine.QuicStreamType.Bidirectional, Cancel);

        int updates = await RoundTripAsync(
            stream,
            (bytes, end) => stream.WriteAsync(bytes, end, Cancel),
            () => updateKeys && client.TryUpdateKeys());

        await listener.Serving;
        Assert.AreEqual(updateKeys, updates > 0, $"There were {updates} key updates.");
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    [DataRow(false)]
    [DataRow(true)]
    public async Task The_client_of_msquic_echoes_much_data_off_ours(bool updateKeys)
    {
        using var identity = Identity.CreateSelfSigned();
        await using ManagedEchoListener listener = await ManagedEchoListener.ListenAsync(identity, Cancel);
        await using System.Net.Quic.QuicConnection client = await System.Net.Quic.QuicConnection.ConnectAsync(
            new System.Net.Quic.QuicClientConnectionOptions
            {
                RemoteEndPoint = listener.EndPoint,
                DefaultCloseErrorCode = 0,
                DefaultStreamErrorCode = 0,
                ClientAuthenticationOptions = PinnedTls.Client(identity),
            },
            Cancel);
        await using System.Net.Quic.QuicStream stream =
            await client.OpenOutboundStreamAsync(System.Net.Quic.QuicStreamType.Bidirectional, Cancel);

        int updates = await RoundTripAsync(
            stream,
            (bytes, end) => stream.WriteAsync(bytes, end, Cancel),
            () => updateKeys && listener.Connection?.TryUpdateKeys() == true);

        await listener.Serving;
        Assert.AreEqual(updateKeys, updates > 0, $"There were {updates} key updates.");
    }

    private async Task<int> RoundTripAsync(Stream stream, Func<ReadOnlyMemory<byte>, bool, ValueTask> write, Func<bool> updateKeys)
    {
        const int Piece = 1 << 20;
        byte[] block = RandomNumberGenerator.GetBytes(Piece);
        using var sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var received = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int updates = 0;
        Task sending = SendAsync();
        byte[] buffer = new byte[64 * 1024];
        long total = 0;
        for (int count; (count = await stream.ReadAsync(buffer, Cancel)) > 0; total += count)
        {
            received.AppendData(buffer, 0, count);
        }

        await sending;
        Assert.AreEqual(Size, total);
        CollectionAssert.AreEqual(sent.GetHashAndReset(), received.GetHashAndReset());
        TestContext.WriteLine($"{Size >> 20} MiB each way with {updates} key updates.");
        return updates;

        async Task SendAsync()
        {
            for (int offset = 0; offset < Size; offset += Piece)
            {
                sent.AppendData(block);
                await write(block, offset + Piece >= Size);
                updates += updateKeys() ? 1 : 0;
            }
        }
    }
}
