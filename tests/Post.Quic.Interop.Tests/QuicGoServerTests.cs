using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;
using Post.Quic.Interop.Tests.Managed;

namespace Post.Quic.Interop.Tests;

/// <summary>Our client with quic-go's server; tests/peers/quicgo/README.md has what it can be asked for.</summary>
[TestClass]
public sealed class QuicGoServerTests : ForeignServerTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_echoes_megabytes_intact()
    {
        (_, IPEndPoint server) = await StartQuicGoServerAsync();
        await using QuicConnection connection = await ConnectAsync(server);

        await EchoAsync(connection, 8_000_000);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_server_hashes_our_megabytes()
    {
        (_, IPEndPoint server) = await StartQuicGoServerAsync();
        await using QuicConnection connection = await ConnectAsync(server);
        byte[] content = RandomNumberGenerator.GetBytes(8_000_000);

        byte[] hash = await AskAsync(connection, [(byte)'h', .. content]);

        CollectionAssert.AreEqual(SHA256.HashData(content), hash);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_echoes_unidirectional_streams()
    {
        (_, IPEndPoint server) = await StartQuicGoServerAsync();
        await using QuicConnection connection = await ConnectAsync(server);
        for (int i = 1; i <= 20; i++)
        {
            byte[] sent = RandomNumberGenerator.GetBytes(i * 1000);
            await using QuicStream outbound = await connection.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, Cancel);
            await outbound.WriteAsync(sent, completeWrites: true, Cancel);
            await using QuicStream inbound = await connection.AcceptInboundStreamAsync(Cancel);

            Assert.AreEqual(QuicStreamType.Unidirectional, inbound.Type);
            CollectionAssert.AreEqual(sent, await inbound.ReadToEndAsync(Cancel));
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_hears_why_a_server_wants_a_certificate()
    {
        const long BadCertificate = 0x100 + 42; // Go of that age does not say certificate_required.
        (_, IPEndPoint server) = await StartQuicGoServerAsync("-authority", TestFiles.Certificate("ca"));

        // The client's handshake is complete before the server has looked for the certificate; the connection waits for that.
        QuicException refusal = await Assert.ThrowsExactlyAsync<QuicException>(async () => await ConnectAsync(server));

        Assert.AreEqual(BadCertificate, refusal.TransportErrorCode);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Resets_carry_their_codes_both_ways()
    {
        (PeerProcess peer, IPEndPoint server) = await StartQuicGoServerAsync();
        await using QuicConnection connection = await ConnectAsync(server);
        await using QuicStream stream = await connection.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        await stream.WriteAsync(Command('r', 0x1234567), Cancel);

        QuicException reset = await Assert.ThrowsExactlyAsync<QuicException>(() => stream.ReadToEndAsync(Cancel));
        stream.Abort(QuicAbortDirection.Write, 0x7654321);

        Assert.AreEqual(QuicError.StreamAborted, reset.QuicError);
        Assert.AreEqual(0x1234567, reset.ApplicationErrorCode);
        await peer.WaitForLineAsync($"reset stream ended: stream {stream.Id} canceled with error code {0x7654321}", Cancel);
        await EchoAsync(connection, 1000);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Stops_carry_their_codes_both_ways()
    {
        (PeerProcess peer, IPEndPoint server) = await StartQuicGoServerAsync();
        await using QuicConnection connection = await ConnectAsync(server);
        await using QuicStream stream = await connection.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        await stream.WriteAsync(Command('s', 0x1234567), Cancel);

        QuicException stopped = await Assert.ThrowsExactlyAsync<QuicException>(() => stream.WritesClosed.WaitAsync(Cancel));
        stream.Abort(QuicAbortDirection.Read, 0x7654321);

        Assert.AreEqual(QuicError.StreamAborted, stopped.QuicError);
        Assert.AreEqual(0x1234567, stopped.ApplicationErrorCode);
        await peer.WaitForLineAsync($"stopping stream ended: stream {stream.Id} canceled with error code {0x7654321}", Cancel);
        await EchoAsync(connection, 1000);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_hears_the_code_of_a_close()
    {
        (_, IPEndPoint server) = await StartQuicGoServerAsync();
        await using QuicConnection connection = await ConnectAsync(server);

        // Before its handshake is complete the server must hide the code (RFC 9000 section 10.2.3).
        await EchoAsync(connection, 1000);
        await using QuicStream stream = await connection.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        await stream.WriteAsync(Command('c', 0x1234567), Cancel);

        QuicException closed = await Assert.ThrowsExactlyAsync<QuicException>(() => connection.Closed.WaitAsync(Cancel));

        Assert.AreEqual(QuicError.ConnectionAborted, closed.QuicError);
        Assert.AreEqual(0x1234567, closed.ApplicationErrorCode);
        Assert.Contains("as asked", closed.Message);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_server_hears_the_code_of_our_close()
    {
        (PeerProcess peer, IPEndPoint server) = await StartQuicGoServerAsync();
        await using QuicConnection connection = await ConnectAsync(server);
        await EchoAsync(connection, 1000);

        await connection.CloseAsync(0x7654321, "as told", Cancel);

        await peer.WaitForLineAsync($"closed: Application error 0x{0x7654321:x}: as told", Cancel);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_datagrams_come_back()
    {
        (_, IPEndPoint server) = await StartQuicGoServerAsync();
        await using QuicConnection connection = await ConnectAsync(server);
        await EchoAsync(connection, 10);
        for (int i = 1; i <= 20; i++)
        {
            byte[] sent = RandomNumberGenerator.GetBytes(i * 50);

            Assert.AreEqual(QuicDatagramResult.Queued, connection.TrySendDatagram(sent));
            ReadOnlyMemory<byte> received = await connection.ReceiveDatagramAsync(Cancel);

            CollectionAssert.AreEqual(sent, received.ToArray());
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_says_that_no_version_is_shared()
    {
        (_, IPEndPoint server) = await StartQuicGoServerAsync("-versions", "draft29");

        QuicException refusal = await Assert.ThrowsExactlyAsync<QuicException>(() => ConnectAsync(server).AsTask());

        Assert.AreEqual(QuicError.VersionNegotiationError, refusal.QuicError);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_hears_that_no_protocol_is_shared()
    {
        const long NoApplicationProtocol = 0x100 + 120;
        (_, IPEndPoint server) = await StartQuicGoServerAsync("-protocol", "other");

        QuicException refusal = await Assert.ThrowsExactlyAsync<QuicException>(() => ConnectAsync(server).AsTask());

        Assert.AreEqual(NoApplicationProtocol, refusal.TransportErrorCode);
    }

    private static byte[] Command(char command, ulong code)
    {
        byte[] message = new byte[9];
        message[0] = (byte)command;
        BinaryPrimitives.WriteUInt64BigEndian(message.AsSpan(1), code);
        return message;
    }

    private async Task EchoAsync(QuicConnection connection, int size)
    {
        byte[] sent = RandomNumberGenerator.GetBytes(size);
        byte[] received = await AskAsync(connection, [(byte)'e', .. sent]);
        Assert.IsTrue(sent.AsSpan().SequenceEqual(received), $"Of {size} bytes came {received.Length} back, or others.");
    }

    private async Task<byte[]> AskAsync(QuicConnection connection, byte[] message)
    {
        await using QuicStream stream = await connection.OpenOutboundStreamAsync(QuicStreamType.Bidirectional, Cancel);
        Task writing = stream.WriteAsync(message, completeWrites: true, Cancel).AsTask();
        byte[] answer = await stream.ReadToEndAsync(Cancel);
        await writing;
        return answer;
    }

    private protected override SslApplicationProtocol Protocol => Ours.Interop;

    private protected override string ConnectedLine => "connected resumed=false";

    private protected override string EarlyDataLine => "connected resumed=true early=true";

    private protected override string ResumedLine => "connected resumed=true early=false";

    private protected override Task<(PeerProcess Peer, IPEndPoint EndPoint)> StartServerAsync(
        ServerMode mode = ServerMode.Plain, IPAddress? address = null) => StartQuicGoServerAsync(
        [
            "-address", new IPEndPoint(address ?? IPAddress.Loopback, 0).ToString(),
            .. mode switch
            {
                ServerMode.Retry => ["-retry"],
                ServerMode.ClientCertificate => ["-authority", TestFiles.Certificate("ca")],
                ServerMode.P384Only => ["-p384"],
                _ => Array.Empty<string>(),
            },
        ]);

    private protected override Task<IConversation> BeginAsync(QuicConnection connection) =>
        Task.FromResult<IConversation>(new Conversation(this, connection));

    private protected override string SuiteLine(TlsCipherSuite suite) => $"suite={suite} ";

    private protected override Task CheckSawCertificateAsync(PeerProcess peer) => peer.WaitForLineAsync("peer=\"client 1\"", Cancel);

    private sealed class Conversation(QuicGoServerTests tests, QuicConnection connection) : IConversation
    {
        public Task AskAsync(int size, CancellationToken cancellationToken) => tests.EchoAsync(connection, size);
    }
}
