using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;
using Post.Quic.Interop.Tests.Http3;
using Post.Quic.Interop.Tests.Managed;

namespace Post.Quic.Interop.Tests;

/// <summary>Our client with ngtcp2's server.</summary>
[TestClass]
public sealed class Ngtcp2ServerTests : PeerTest
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow("127.0.0.1")]
    [DataRow("::1")]
    public async Task Our_client_shakes_hands_and_gets_an_answer(string address)
    {
        (PeerProcess peer, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Parse(address));
        await using QuicConnection connection = await ConnectAsync(server);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

        byte[] body = await http.GetAsync("/100", Cancel);

        Assert.HasCount(100, body);
        Assert.AreEqual(1, connection.NegotiatedVersion);
        Assert.AreEqual(QuicKeyExchangeGroup.X25519, connection.NegotiatedKeyExchangeGroup);
        await peer.WaitForLineAsync("Negotiated ALPN is h3", Cancel);
    }

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
    public async Task Our_client_makes_a_thousand_requests()
    {
        (_, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback, "-q");
        await using QuicConnection connection = await ConnectAsync(server);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

        byte[][] bodies = await Task.WhenAll(Enumerable.Range(1, 1000).Select(
            size => http.GetAsync(string.Create(CultureInfo.InvariantCulture, $"/{size}"), Cancel)));

        for (int i = 0; i < bodies.Length; i++)
        {
            Assert.HasCount(i + 1, bodies[i]);
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_follows_a_retry()
    {
        (PeerProcess peer, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback, "-V");
        await using QuicConnection connection = await ConnectAsync(server);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

        Assert.HasCount(10, await http.GetAsync("/10", Cancel));
        await peer.WaitForLineAsync("Sending Retry packet", Cancel);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(TlsCipherSuite.TLS_AES_128_GCM_SHA256, "AES-128-GCM")]
    [DataRow(TlsCipherSuite.TLS_AES_256_GCM_SHA384, "AES-256-GCM")]
    [DataRow(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, "CHACHA20-POLY1305")]
    public async Task Our_client_and_the_server_agree_on_each_cipher_suite(TlsCipherSuite suite, string name)
    {
        (PeerProcess peer, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback);
        await using QuicConnection connection = await ConnectAsync(server, suite: suite);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

        Assert.HasCount(100_000, await http.GetAsync("/100000", Cancel));
        Assert.AreEqual(suite, connection.NegotiatedCipherSuite);
        await peer.WaitForLineAsync($"Negotiated cipher suite is {name}", Cancel);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_answers_a_hello_retry_request()
    {
        (_, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback, "--groups=-GROUP-ALL:+GROUP-SECP384R1");
        await using QuicConnection connection = await ConnectAsync(server);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

        Assert.HasCount(10, await http.GetAsync("/10", Cancel));
        Assert.AreEqual(QuicKeyExchangeGroup.Secp384r1, connection.NegotiatedKeyExchangeGroup);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_resumes_a_session()
    {
        (_, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback);
        QuicSessionTicket ticket = await GetTicketAsync(server);

        await using QuicConnection connection = await ConnectAsync(server, plain => plain with { SessionTicket = ticket });
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

        Assert.HasCount(10, await http.GetAsync("/10", Cancel));
        Assert.IsTrue(connection.IsResumed);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_sends_early_data()
    {
        (PeerProcess peer, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback);

        // On loopback the handshake may be over before this process has compiled what writes the request: then nothing
        // was left to send early, and the next connection, with warm code, shows it.
        while (!peer.HasSaid("type=0RTT"))
        {
            QuicSessionTicket ticket = await GetTicketAsync(server);
            Assert.IsTrue(ticket.AllowsEarlyData);
            var notes = new ConnectionNotes();
            await using QuicConnection connection = await ConnectAsync(
                server, plain => plain with { SessionTicket = ticket, EnableEarlyData = true, Events = notes });
            Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

            Assert.HasCount(10, await http.GetAsync("/10", Cancel));
            Assert.IsTrue(await notes.EarlyData.WaitAsync(Cancel));
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_updates_the_keys()
    {
        (PeerProcess peer, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback);
        await using QuicConnection connection = await ConnectAsync(server);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);
        Assert.HasCount(10, await http.GetAsync("/10", Cancel));

        Assert.IsTrue(connection.TryUpdateKeys());
        Assert.HasCount(10_000, await http.GetAsync("/10000", Cancel));

        await peer.WaitForLineAsync("type=1RTT k=1", Cancel);
        Assert.AreEqual(1, connection.GetStatistics().KeyUpdates);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_shows_its_certificate()
    {
        (PeerProcess peer, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback, "--verify-client");
        await using QuicConnection connection = await ConnectAsync(server, showCertificate: true);
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

        Assert.HasCount(10, await http.GetAsync("/10", Cancel));
        Assert.IsFalse(peer.HasSaid("No client certificate"));
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
    public async Task Our_client_falls_back_to_version_1()
    {
        (_, IPEndPoint server) = await StartGtlsServerAsync(IPAddress.Loopback);

        await using QuicConnection connection = await ConnectAsync(server, plain => plain with { PreferVersion2 = true });
        Http3Session http = await Http3Session.StartAsync(connection, null, Cancel);

        Assert.HasCount(10, await http.GetAsync("/10", Cancel));
        Assert.AreEqual(1, connection.NegotiatedVersion);
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

    private async Task<QuicSessionTicket> GetTicketAsync(IPEndPoint server)
    {
        var notes = new ConnectionNotes();
        await using QuicConnection connection = await ConnectAsync(server, plain => plain with { Events = notes });
        return await notes.Ticket.WaitAsync(Cancel);
    }

    private ValueTask<QuicConnection> ConnectAsync(
        IPEndPoint server,
        Func<QuicClientConnectionOptions, QuicClientConnectionOptions>? options = null,
        TlsCipherSuite? suite = null,
        bool showCertificate = false) =>
        Ours.ConnectAsync(server, Http3Session.Protocol, Cancel, options, suite, showCertificate);
}
