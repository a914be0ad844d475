using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;
using Post.Quic.Interop.Tests.Http3;
using Post.Quic.Tests.Links;

namespace Post.Quic.Interop.Tests;

/// <summary>Our client with ngtcp2's server, which speaks HTTP/3.</summary>
[TestClass]
public sealed class Ngtcp2ServerTests : ForeignServerTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_downloads_megabytes_intact()
    {
        byte[] content = RandomNumberGenerator.GetBytes(8_000_000);
        string directory = TestFiles.NewDirectory();
        await File.WriteAllBytesAsync(Path.Combine(directory, "content"), content, Cancel);
        (_, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback, "-q", "-d", directory);
        await using QuicConnection connection = await ConnectAsync(server);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

        byte[] received = await http.GetAsync("/content", Cancel);

        Assert.IsTrue(content.AsSpan().SequenceEqual(received), $"Of {content.Length} bytes came {received.Length}, or others.");
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_uploads_megabytes()
    {
        (_, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback, "-q");
        await using QuicConnection connection = await ConnectAsync(server);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

        byte[] received = await http.PostAsync("/100", RandomNumberGenerator.GetBytes(4_000_000), Cancel);

        Assert.HasCount(100, received);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_server_follows_our_client_to_another_port_behind_a_nat()
    {
        (PeerProcess peer, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback);
        await using var nat = new UdpRelay(server);
        await using QuicConnection connection = await ConnectAsync(nat.EndPoint);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);
        Assert.HasCount(1000, await http.GetAsync("/1000", Cancel));

        nat.Rebind();
        Assert.HasCount(300_000, await http.GetAsync("/300000", Cancel));

        await peer.WaitForLineAsync($"remote=[127.0.0.1]:{nat.OutsideEndPoint.Port}", Cancel);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_moves_to_another_port()
    {
        (PeerProcess peer, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback);
        await using QuicConnection connection = await ConnectAsync(server);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);
        Assert.HasCount(1000, await http.GetAsync("/1000", Cancel));
        int before = connection.LocalEndPoint.Port;

        await connection.MigrateAsync(cancellationToken: Cancel);
        Assert.HasCount(300_000, await http.GetAsync("/300000", Cancel));

        Assert.AreNotEqual(before, connection.LocalEndPoint.Port);
        await peer.WaitForLineAsync($"remote=[127.0.0.1]:{connection.LocalEndPoint.Port}", Cancel);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_gets_through_when_one_datagram_in_ten_is_lost()
    {
        (_, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback, "-q", "--tx-loss=0.1", "--rx-loss=0.1");
        await using QuicConnection connection = await ConnectAsync(server);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

        Assert.HasCount(200_000, await http.GetAsync("/200000", Cancel));
    }

    private protected override SslApplicationProtocol Protocol => Http3Session.Protocol;

    private protected override string ConnectedLine => "Negotiated ALPN is h3";

    private protected override string EarlyDataLine => "type=0RTT";

    private protected override string RetryLine => "Sending Retry packet";

    private protected override string KeyUpdateLine => "type=1RTT k=1";

    private protected override Task<(PeerProcess Peer, IPEndPoint EndPoint)> StartServerAsync(
        ServerMode mode = ServerMode.Plain, IPAddress? address = null) => StartGtlsServerAsync(
        address ?? IPAddress.Loopback,
        mode switch
        {
            ServerMode.Retry => ["-V"],
            ServerMode.ClientCertificate => ["--verify-client"],
            ServerMode.P384Only => ["--groups=-GROUP-ALL:+GROUP-SECP384R1"],
            _ => [],
        });

    private protected override async Task<IConversation> BeginAsync(QuicConnection connection) =>
        new Conversation(await Http3Session.StartAsync(connection, null, Cancel));

    private protected override string SuiteLine(TlsCipherSuite suite) => "Negotiated cipher suite is " + suite switch
    {
        TlsCipherSuite.TLS_AES_128_GCM_SHA256 => "AES-128-GCM",
        TlsCipherSuite.TLS_AES_256_GCM_SHA384 => "AES-256-GCM",
        _ => "CHACHA20-POLY1305",
    };

    // It asks for a certificate without demanding one, and says where it got none.
    private protected override async Task CheckSawCertificateAsync(PeerProcess peer)
    {
        await peer.WaitForLineAsync(ConnectedLine, Cancel);
        Assert.IsFalse(peer.HasSaid("No client certificate"));
    }

    private sealed class Conversation(Http3Session http) : IConversation
    {
        public async Task AskAsync(int size, CancellationToken cancellationToken) => Assert.HasCount(
            size, await http.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/{size}"), cancellationToken));
    }
}
