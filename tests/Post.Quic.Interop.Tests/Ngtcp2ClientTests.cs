using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;
using Post.Quic.Interop.Tests.Http3;
using Post.Quic.Interop.Tests.Managed;

namespace Post.Quic.Interop.Tests;

/// <summary>ngtcp2's client with our server.</summary>
[TestClass]
public sealed class Ngtcp2ClientTests : PeerTest
{
    private static readonly byte[] Answer = "A body for whoever asks."u8.ToArray();

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow("127.0.0.1")]
    [DataRow("::1")]
    public async Task The_client_shakes_hands_with_our_server_and_gets_an_answer(string address)
    {
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol, address: IPAddress.Parse(address));
        PeerProcess peer = StartGtlsClient(listener.LocalEndPoint, [], "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Http3Session http = await RunAsync(connection, peer);

        Assert.AreEqual(1, http.Requests);
        Assert.AreEqual("localhost", connection.TargetHostName);
        Assert.AreEqual(1, connection.NegotiatedVersion);
        Assert.AreEqual(QuicKeyExchangeGroup.X25519, connection.NegotiatedKeyExchangeGroup);
        Assert.IsTrue(peer.HasSaid("[:status: 200]"));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_downloads_megabytes_intact()
    {
        byte[] content = RandomNumberGenerator.GetBytes(8_000_000);
        string directory = TestFiles.NewDirectory();
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol);
        PeerProcess peer = StartGtlsClient(listener.LocalEndPoint, ["-q", $"--download={directory}"], "/content");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, _ => content);

        byte[] received = await File.ReadAllBytesAsync(Path.Combine(directory, "content"), Cancel);
        Assert.IsTrue(content.AsSpan().SequenceEqual(received), $"Of {content.Length} bytes came {received.Length}, or others.");
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_uploads_megabytes_intact()
    {
        byte[] content = RandomNumberGenerator.GetBytes(8_000_000);
        string file = Path.Combine(TestFiles.NewDirectory(), "content");
        await File.WriteAllBytesAsync(file, content, Cancel);
        byte[] received = [];
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol);
        PeerProcess peer = StartGtlsClient(listener.LocalEndPoint, ["-q", "-m", "POST", "-d", file], "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, body =>
        {
            received = body;
            return Answer;
        });

        Assert.IsTrue(content.AsSpan().SequenceEqual(received), $"Of {content.Length} bytes came {received.Length}, or others.");
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_makes_a_thousand_requests()
    {
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol);
        PeerProcess peer = StartGtlsClient(listener.LocalEndPoint, ["-q", "-n", "1000"], "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Http3Session http = await RunAsync(connection, peer);

        Assert.AreEqual(1000, http.Requests);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_follows_our_retry()
    {
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol, retry: RetryPolicy.Always);
        PeerProcess peer = StartGtlsClient(listener.LocalEndPoint, [], "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer);

        Assert.IsTrue(peer.HasSaid("type=Retry"));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(TlsCipherSuite.TLS_AES_128_GCM_SHA256, "AES-128-GCM")]
    [DataRow(TlsCipherSuite.TLS_AES_256_GCM_SHA384, "AES-256-GCM")]
    [DataRow(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, "CHACHA20-POLY1305")]
    public async Task The_client_and_our_server_agree_on_each_cipher_suite(TlsCipherSuite suite, string name)
    {
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol, suite: suite);
        PeerProcess peer = StartGtlsClient(listener.LocalEndPoint, [], "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, _ => new byte[100_000]);

        Assert.AreEqual(suite, connection.NegotiatedCipherSuite);
        Assert.IsTrue(peer.HasSaid($"Negotiated cipher suite is {name}"));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_answers_our_hello_retry_request()
    {
        // Its first key share is for X25519, which our server does not take here.
        await using QuicListener listener = await Ours.ListenAsync(
            Http3Session.Protocol, plain => plain with { KeyExchangeGroups = [QuicKeyExchangeGroup.Secp384r1] });
        PeerProcess peer = StartGtlsClient(
            listener.LocalEndPoint, ["--groups=-GROUP-ALL:+GROUP-X25519:+GROUP-SECP521R1:+GROUP-SECP384R1"], "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Http3Session http = await RunAsync(connection, peer);

        Assert.AreEqual(1, http.Requests);
        Assert.AreEqual(QuicKeyExchangeGroup.Secp384r1, connection.NegotiatedKeyExchangeGroup);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(false)]
    [DataRow(true)]
    public async Task The_client_resumes_a_session(bool early)
    {
        string directory = TestFiles.NewDirectory();
        string[] options =
        [
            "--session-file=" + Path.Combine(directory, "session"), "--tp-file=" + Path.Combine(directory, "parameters"),
            "--token-file=" + Path.Combine(directory, "token"),
            .. early ? Array.Empty<string>() : ["--disable-early-data"],
        ];
        await using QuicListener listener = await Ours.ListenAsync(
            Http3Session.Protocol, plain => plain with { EnableEarlyData = early });
        PeerProcess first = StartGtlsClient(listener.LocalEndPoint, options, "/");
        await using QuicConnection fresh = await listener.AcceptConnectionAsync(Cancel);
        await RunAsync(fresh, first);
        Assert.IsFalse(fresh.IsResumed);

        PeerProcess second = StartGtlsClient(listener.LocalEndPoint, options, "/");
        await using QuicConnection resumed = await listener.AcceptConnectionAsync(Cancel);
        Http3Session http = await RunAsync(resumed, second);

        Assert.AreEqual(1, http.Requests);
        Assert.IsTrue(resumed.IsResumed);
        Assert.AreEqual(early, second.HasSaid("type=0RTT"));
        Assert.IsFalse(second.HasSaid("Early data was rejected"));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_updates_the_keys()
    {
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol);
        PeerProcess peer = StartGtlsClient(listener.LocalEndPoint, ["--key-update=50ms", "--delay-stream=150ms"], "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, _ => new byte[100_000]);

        Assert.AreEqual(1, connection.GetStatistics().KeyUpdates);
        Assert.IsTrue(peer.HasSaid("type=1RTT k=1"));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_shows_its_certificate()
    {
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol, askForCertificate: true);
        PeerProcess peer = StartGtlsClient(
            listener.LocalEndPoint,
            [$"--key={TestFiles.PrivateKey("client-1")}", $"--cert={TestFiles.Certificate("client-1")}"],
            "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer);

        Assert.AreEqual("CN=client 1", connection.RemoteCertificate?.Subject);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(true)]
    [DataRow(false)]
    public async Task Our_server_follows_the_client_to_another_port(bool unawares)
    {
        var notes = new ConnectionNotes();
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol, plain => plain with { Events = notes });
        string[] options = ["--change-local-addr=50ms", "--delay-stream=200ms"];
        PeerProcess peer = StartGtlsClient(listener.LocalEndPoint, unawares ? [.. options, "--nat-rebinding"] : options, "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);
        int before = connection.RemoteEndPoint.Port;

        Http3Session http = await RunAsync(connection, peer, _ => new byte[300_000]);

        Assert.AreEqual(1, http.Requests);
        Assert.AreNotEqual(before, connection.RemoteEndPoint.Port);
        Assert.Contains(path => path.Change == QuicPathChange.Validated && path.Path.RemoteEndPoint.Port != before, notes.Paths);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow("0x1a2a3a4a", "v1")]
    [DataRow("v2draft", "v2draft,v1")]
    public async Task The_client_falls_back_to_version_1(string version, string preferred)
    {
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol);
        PeerProcess peer = StartGtlsClient(listener.LocalEndPoint, ["-v", version, $"--preferred-versions={preferred}"], "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Http3Session http = await RunAsync(connection, peer);

        Assert.AreEqual(1, http.Requests);
        Assert.AreEqual(1, connection.NegotiatedVersion);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_gets_through_when_one_datagram_in_ten_is_lost()
    {
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol);
        PeerProcess peer = StartGtlsClient(listener.LocalEndPoint, ["-q", "--tx-loss=0.1", "--rx-loss=0.1"], "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Http3Session http = await RunAsync(connection, peer, _ => new byte[200_000]);

        Assert.AreEqual(1, http.Requests);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_without_a_connection_id_is_served()
    {
        await using QuicListener listener = await Ours.ListenAsync(Http3Session.Protocol);
        PeerProcess peer = StartGtlsClient(listener.LocalEndPoint, ["--scid="], "/");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        Http3Session http = await RunAsync(connection, peer);

        Assert.AreEqual(1, http.Requests);
    }

    /// <summary>Serves the client until it has all its answers and leaves.</summary>
    private async Task<Http3Session> RunAsync(
        QuicConnection connection, PeerProcess peer, Func<byte[], ReadOnlyMemory<byte>>? respond = null)
    {
        Http3Session http = await Http3Session.StartAsync(connection, respond ?? (static _ => Answer), Cancel);
        await peer.WaitForSuccessAsync(Cancel);
        await http.Running.WaitAsync(Cancel);
        return http;
    }
}
