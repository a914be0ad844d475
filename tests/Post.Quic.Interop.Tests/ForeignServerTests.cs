using System.Net;
using System.Net.Security;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;
using Post.Quic.Interop.Tests.Managed;

namespace Post.Quic.Interop.Tests;

/// <summary>What our client does with every foreign server; a class for each peer runs it, and adds what only that peer can.</summary>
public abstract class ForeignServerTests : PeerTest
{
    private protected abstract SslApplicationProtocol Protocol { get; }

    /// <summary>What the server says of a connection.</summary>
    private protected abstract string ConnectedLine { get; }

    /// <summary>What it says when early data came.</summary>
    private protected abstract string EarlyDataLine { get; }

    /// <summary>Likewise of a Retry; null: nothing.</summary>
    private protected virtual string? RetryLine => null;

    /// <summary>Likewise of a resumed session; null: nothing.</summary>
    private protected virtual string? ResumedLine => null;

    /// <summary>Likewise of a key update; null: nothing.</summary>
    private protected virtual string? KeyUpdateLine => null;

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow("127.0.0.1")]
    [DataRow("::1")]
    public async Task Our_client_shakes_hands_and_gets_an_answer(string address)
    {
        (PeerProcess peer, IPEndPoint server) = await StartServerAsync(address: IPAddress.Parse(address));
        await using QuicConnection connection = await ConnectAsync(server);

        await AskAsync(connection, 100);

        Assert.AreEqual(1, connection.NegotiatedVersion);
        Assert.AreEqual(QuicKeyExchangeGroup.X25519, connection.NegotiatedKeyExchangeGroup);
        await peer.WaitForLineAsync(ConnectedLine, Cancel);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_makes_a_thousand_requests()
    {
        (_, IPEndPoint server) = await StartServerAsync();
        await using QuicConnection connection = await ConnectAsync(server);
        IConversation conversation = await BeginAsync(connection);

        await Task.WhenAll(Enumerable.Range(1, 1000).Select(size => conversation.AskAsync(size, Cancel)));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_follows_a_retry()
    {
        (PeerProcess peer, IPEndPoint server) = await StartServerAsync(ServerMode.Retry);
        await using QuicConnection connection = await ConnectAsync(server);

        await AskAsync(connection, 10);

        await WaitForLineAsync(peer, RetryLine);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(TlsCipherSuite.TLS_AES_128_GCM_SHA256)]
    [DataRow(TlsCipherSuite.TLS_AES_256_GCM_SHA384)]
    [DataRow(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256)]
    public async Task Our_client_and_the_server_agree_on_each_cipher_suite(TlsCipherSuite suite)
    {
        (PeerProcess peer, IPEndPoint server) = await StartServerAsync();
        await using QuicConnection connection = await ConnectAsync(server, suite: suite);

        await AskAsync(connection, 100_000);

        Assert.AreEqual(suite, connection.NegotiatedCipherSuite);
        await peer.WaitForLineAsync(SuiteLine(suite), Cancel);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_answers_a_hello_retry_request()
    {
        (_, IPEndPoint server) = await StartServerAsync(ServerMode.P384Only);
        await using QuicConnection connection = await ConnectAsync(server);

        await AskAsync(connection, 10);

        Assert.AreEqual(QuicKeyExchangeGroup.Secp384r1, connection.NegotiatedKeyExchangeGroup);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_resumes_a_session()
    {
        (PeerProcess peer, IPEndPoint server) = await StartServerAsync();
        QuicSessionTicket ticket = await GetTicketAsync(server);

        await using QuicConnection connection = await ConnectAsync(server, plain => plain with { SessionTicket = ticket });
        await AskAsync(connection, 10);

        Assert.IsTrue(connection.IsResumed);
        await WaitForLineAsync(peer, ResumedLine);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_sends_early_data()
    {
        (PeerProcess peer, IPEndPoint server) = await StartServerAsync();

        // On loopback the handshake may be over before this process has compiled what writes the request: then nothing
        // was left to send early, and the next connection, with warm code, shows it.
        while (!peer.HasSaid(EarlyDataLine))
        {
            QuicSessionTicket ticket = await GetTicketAsync(server);
            Assert.IsTrue(ticket.AllowsEarlyData);
            var notes = new ConnectionNotes();
            await using QuicConnection connection = await ConnectAsync(
                server, plain => plain with { SessionTicket = ticket, EnableEarlyData = true, Events = notes });

            await AskAsync(connection, 10);

            Assert.IsTrue(await notes.EarlyData.WaitAsync(Cancel));
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_updates_the_keys()
    {
        (PeerProcess peer, IPEndPoint server) = await StartServerAsync();
        await using QuicConnection connection = await ConnectAsync(server);
        IConversation conversation = await BeginAsync(connection);
        await conversation.AskAsync(10, Cancel);

        Assert.IsTrue(connection.TryUpdateKeys());
        await conversation.AskAsync(100_000, Cancel);

        await WaitForLineAsync(peer, KeyUpdateLine);
        Assert.AreEqual(1, connection.GetStatistics().KeyUpdates);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_shows_its_certificate()
    {
        (PeerProcess peer, IPEndPoint server) = await StartServerAsync(ServerMode.ClientCertificate);
        await using QuicConnection connection = await ConnectAsync(server, showCertificate: true);

        await AskAsync(connection, 10);

        await CheckSawCertificateAsync(peer);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_client_falls_back_to_version_1()
    {
        (_, IPEndPoint server) = await StartServerAsync();
        await using QuicConnection connection = await ConnectAsync(server, plain => plain with { PreferVersion2 = true });

        await AskAsync(connection, 10);

        Assert.AreEqual(1, connection.NegotiatedVersion);
    }

    private protected abstract Task<(PeerProcess Peer, IPEndPoint EndPoint)> StartServerAsync(
        ServerMode mode = ServerMode.Plain, IPAddress? address = null);

    /// <summary>Begins to talk on a connection; once for each.</summary>
    private protected abstract Task<IConversation> BeginAsync(QuicConnection connection);

    private protected abstract string SuiteLine(TlsCipherSuite suite);

    /// <summary>Checks that the server saw the certificate of client 1.</summary>
    private protected abstract Task CheckSawCertificateAsync(PeerProcess peer);

    private protected async Task AskAsync(QuicConnection connection, int size) =>
        await (await BeginAsync(connection)).AskAsync(size, Cancel);

    private protected async Task<QuicSessionTicket> GetTicketAsync(IPEndPoint server)
    {
        var notes = new ConnectionNotes();
        await using QuicConnection connection = await ConnectAsync(server, plain => plain with { Events = notes });
        return await notes.Ticket.WaitAsync(Cancel);
    }

    private protected ValueTask<QuicConnection> ConnectAsync(
        IPEndPoint server,
        Func<QuicClientConnectionOptions, QuicClientConnectionOptions>? options = null,
        TlsCipherSuite? suite = null,
        bool showCertificate = false) =>
        Ours.ConnectAsync(server, Protocol, Cancel, options, suite, showCertificate);

    private async Task WaitForLineAsync(PeerProcess peer, string? line)
    {
        if (line is not null)
        {
            await peer.WaitForLineAsync(line, Cancel);
        }
    }
}
