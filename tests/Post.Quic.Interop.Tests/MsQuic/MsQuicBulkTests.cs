using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using Post.Quic.MsQuic.Native;
using Post.Quic.Tests.Links;
using Post.Sockets;

namespace Post.Quic.Interop.Tests.MsQuic;

/// <summary>
/// Our engine and msquic by their own APIs, under load: much data both ways, and in the middle of it keys that either of them
/// changes, or a NAT that takes another port. POST_INTEROP_MIB sets how much; 100 by default.
/// </summary>
[TestClass]
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
public sealed class MsQuicBulkTests
{
    /// <summary>QUIC_PARAM_CONN_FORCE_KEY_UPDATE, of msquic's tests.</summary>
    private const uint ForceKeyUpdate = 0x85000000;

    private static readonly int Size =
        (int.TryParse(Environment.GetEnvironmentVariable("POST_INTEROP_MIB"), out int mebibytes) ? mebibytes : 100) << 20;

    /// <summary>What happens again and again while the data are on their way.</summary>
    public enum Disturbance
    {
        None,
        OurKeyUpdate,
        TheirKeyUpdate,
        AnotherPort,
    }

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    [TestInitialize]
    public async Task RequireMsQuicAsync() => await global::Post.Quic.Tests.Transports.MsQuicPlatform.CreateTransport().DisposeAsync();

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    [DataRow(Disturbance.None)]
    [DataRow(Disturbance.OurKeyUpdate)]
    [DataRow(Disturbance.TheirKeyUpdate)]
    [DataRow(Disturbance.AnotherPort)]
    public async Task Our_client_echoes_much_data_off_msquic(Disturbance disturbance)
    {
        using var identity = Identity.CreateSelfSigned();
        await using MsQuicEchoListener listener = await MsQuicEchoListener.ListenAsync(identity, Cancel);
        await using UdpRelay? relay = RelayFor(disturbance, listener.EndPoint);
        await using Engine.QuicConnection client = await Engine.QuicConnection.ConnectAsync(
            new Engine.QuicClientConnectionOptions
            {
                RemoteEndPoint = relay?.EndPoint ?? listener.EndPoint,
                ClientAuthenticationOptions = PinnedTls.Client(identity),
            },
            Cancel);
        Engine.QuicStream stream = await client.OpenOutboundStreamAsync(Engine.QuicStreamType.Bidirectional, Cancel);

        int disturbed = await RoundTripAsync(
            stream,
            (bytes, end) => stream.WriteAsync(bytes, end, Cancel),
            () => Disturb(disturbance, client, listener.Connection, relay));

        await listener.Serving;
        Check(disturbance, disturbed, client);
    }

    [TestMethod]
    [Timeout(120_000, CooperativeCancellation = true)]
    [DataRow(Disturbance.None)]
    [DataRow(Disturbance.OurKeyUpdate)]
    [DataRow(Disturbance.TheirKeyUpdate)]
    [DataRow(Disturbance.AnotherPort)]
    public async Task The_client_of_msquic_echoes_much_data_off_ours(Disturbance disturbance)
    {
        using var identity = Identity.CreateSelfSigned();
        await using ManagedEchoListener listener = await ManagedEchoListener.ListenAsync(identity, Cancel);
        await using UdpRelay? relay = RelayFor(disturbance, listener.EndPoint);
        await using System.Net.Quic.QuicConnection client = await System.Net.Quic.QuicConnection.ConnectAsync(
            new System.Net.Quic.QuicClientConnectionOptions
            {
                RemoteEndPoint = relay?.EndPoint ?? listener.EndPoint,
                DefaultCloseErrorCode = 0,
                DefaultStreamErrorCode = 0,
                ClientAuthenticationOptions = PinnedTls.Client(identity),
            },
            Cancel);
        await using System.Net.Quic.QuicStream stream =
            await client.OpenOutboundStreamAsync(System.Net.Quic.QuicStreamType.Bidirectional, Cancel);

        int disturbed = await RoundTripAsync(
            stream,
            (bytes, end) => stream.WriteAsync(bytes, end, Cancel),
            () => Disturb(disturbance, listener.Connection, client, relay));

        await listener.Serving;
        Check(disturbance, disturbed, listener.Connection!);
    }

    private static UdpRelay? RelayFor(Disturbance disturbance, IPEndPoint server) =>
        disturbance == Disturbance.AnotherPort ? new UdpRelay(server) : null;

    private static bool Disturb(
        Disturbance disturbance, Engine.QuicConnection? ours, System.Net.Quic.QuicConnection? theirs, UdpRelay? relay)
    {
        switch (disturbance)
        {
            case Disturbance.OurKeyUpdate:
                return ours?.TryUpdateKeys() == true;
            case Disturbance.TheirKeyUpdate:
                return theirs is not null && TryUpdateKeys(theirs);
            case Disturbance.AnotherPort:
                relay!.Rebind();
                return true;
            default:
                return false;
        }
    }

    private static bool TryUpdateKeys(System.Net.Quic.QuicConnection theirs)
    {
        Assert.IsTrue(MsQuicTable.TryOpen(out MsQuicTable? table, out string? obstacle), obstacle);
        return QuicInternals.WithHandle(theirs, handle => table.TrySetParam(handle, ForceKeyUpdate, []));
    }

    private static void Check(Disturbance disturbance, int disturbed, Engine.QuicConnection ours)
    {
        Assert.AreEqual(disturbance != Disturbance.None, disturbed > 0);
        Assert.AreEqual(
            disturbance is Disturbance.OurKeyUpdate or Disturbance.TheirKeyUpdate, ours.GetStatistics().KeyUpdates > 0);
    }

    private async Task<int> RoundTripAsync(Stream stream, Func<ReadOnlyMemory<byte>, bool, ValueTask> write, Func<bool> disturb)
    {
        const int Piece = 1 << 20;
        const int Between = 16 << 20;
        byte[] block = RandomNumberGenerator.GetBytes(Piece);
        using var sent = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var received = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int disturbed = 0;
        Task sending = SendAsync();
        byte[] buffer = new byte[64 * 1024];
        long total = 0;
        for (int count; (count = await stream.ReadAsync(buffer, Cancel)) > 0; total += count)
        {
            // More than can be under way at once: what came of the disturbance before has been seen to work.
            received.AppendData(buffer, 0, count);
            disturbed += total / Between != (total + count) / Between && disturb() ? 1 : 0;
        }

        await sending;
        Assert.AreEqual(Size, total);
        CollectionAssert.AreEqual(sent.GetHashAndReset(), received.GetHashAndReset());
        TestContext.WriteLine($"{Size >> 20} MiB each way, disturbed {disturbed} times.");
        return disturbed;

        async Task SendAsync()
        {
            for (int offset = 0; offset < Size; offset += Piece)
            {
                sent.AppendData(block);
                await write(block, offset + Piece >= Size);
            }
        }
    }
}
