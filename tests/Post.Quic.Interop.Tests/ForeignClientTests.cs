using System.Net;
using System.Net.Security;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;
using Post.Quic.Interop.Tests.Managed;

namespace Post.Quic.Interop.Tests;

/// <summary>What every foreign client does with our server; a class for each peer runs it, and adds what only that peer can.</summary>
public abstract class ForeignClientTests : PeerTest
{
    private protected abstract SslApplicationProtocol Protocol { get; }

    /// <summary>What the client says of a Retry; null: nothing.</summary>
    private protected virtual string? RetryLine => null;

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow("127.0.0.1")]
    [DataRow("::1")]
    public async Task The_client_shakes_hands_with_our_server_and_gets_an_answer(string address)
    {
        await using QuicListener listener = await Ours.ListenAsync(Protocol, address: IPAddress.Parse(address));
        PeerProcess peer = await StartClientAsync(listener.LocalEndPoint);
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Assert.AreEqual(1, await ServeAsync(connection, peer));

        Assert.AreEqual("localhost", connection.TargetHostName);
        Assert.AreEqual(1, connection.NegotiatedVersion);
        Assert.AreEqual(QuicKeyExchangeGroup.X25519, connection.NegotiatedKeyExchangeGroup);
        Assert.IsTrue(peer.HasSaid(AnswerLine));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_makes_a_thousand_requests()
    {
        await using QuicListener listener = await Ours.ListenAsync(Protocol);
        PeerProcess peer = await StartClientAsync(listener.LocalEndPoint, ClientMode.Thousand);
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Assert.AreEqual(1000, await ServeAsync(connection, peer));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_follows_our_retry()
    {
        await using QuicListener listener = await Ours.ListenAsync(Protocol, retry: QuicRetryPolicy.Always);
        PeerProcess peer = await StartClientAsync(listener.LocalEndPoint);
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Assert.AreEqual(1, await ServeAsync(connection, peer));

        Assert.IsTrue(RetryLine is null || peer.HasSaid(RetryLine));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(TlsCipherSuite.TLS_AES_128_GCM_SHA256)]
    [DataRow(TlsCipherSuite.TLS_AES_256_GCM_SHA384)]
    [DataRow(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256)]
    public async Task The_client_and_our_server_agree_on_each_cipher_suite(TlsCipherSuite suite)
    {
        await using QuicListener listener = await Ours.ListenAsync(Protocol, suite: suite);
        PeerProcess peer = await StartClientAsync(listener.LocalEndPoint, ClientMode.Large);
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Assert.AreEqual(1, await ServeAsync(connection, peer, ClientMode.Large));

        Assert.AreEqual(suite, connection.NegotiatedCipherSuite);
        Assert.IsTrue(peer.HasSaid(SuiteLine(suite)));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_answers_our_hello_retry_request()
    {
        await using QuicListener listener = await Ours.ListenAsync(
            Protocol, plain => plain with { KeyExchangeGroups = [QuicKeyExchangeGroup.Secp384r1] });
        PeerProcess peer = await StartClientAsync(listener.LocalEndPoint, ClientMode.ShareForX25519Only);
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Assert.AreEqual(1, await ServeAsync(connection, peer));

        Assert.AreEqual(QuicKeyExchangeGroup.Secp384r1, connection.NegotiatedKeyExchangeGroup);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_shows_its_certificate()
    {
        await using QuicListener listener = await Ours.ListenAsync(Protocol, askForCertificate: true);
        PeerProcess peer = await StartClientAsync(listener.LocalEndPoint, ClientMode.Certificate);
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Assert.AreEqual(1, await ServeAsync(connection, peer));

        Assert.AreEqual("CN=client 1", connection.RemoteCertificate?.Subject);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(ClientMode.UnknownVersion)]
    [DataRow(ClientMode.DraftVersion2)]
    public async Task The_client_falls_back_to_version_1(ClientMode mode)
    {
        await using QuicListener listener = await Ours.ListenAsync(Protocol);
        PeerProcess peer = await StartClientAsync(listener.LocalEndPoint, mode);
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Assert.AreEqual(1, await ServeAsync(connection, peer));

        Assert.AreEqual(1, connection.NegotiatedVersion);
    }

    /// <summary>What the client says of an answer.</summary>
    private protected abstract string AnswerLine { get; }

    private protected abstract Task<PeerProcess> StartClientAsync(IPEndPoint server, ClientMode mode = ClientMode.Plain);

    /// <summary>Serves the client until it has all its answers and leaves; how many requests there were.</summary>
    private protected abstract Task<int> ServeAsync(QuicConnection connection, PeerProcess peer, ClientMode mode = ClientMode.Plain);

    private protected abstract string SuiteLine(TlsCipherSuite suite);
}
