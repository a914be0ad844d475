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
public sealed class Ngtcp2ClientTests : ForeignClientTests
{
    private static readonly byte[] Answer = "A body for whoever asks."u8.ToArray();

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

    private protected override SslApplicationProtocol Protocol => Http3Session.Protocol;

    private protected override string AnswerLine => "[:status: 200]";

    private protected override string RetryLine => "type=Retry";

    private protected override Task<PeerProcess> StartClientAsync(IPEndPoint server, ClientMode mode = ClientMode.Plain) =>
        Task.FromResult(StartGtlsClient(
            server,
            mode switch
            {
                ClientMode.Thousand => ["-q", "-n", "1000"],
                ClientMode.Certificate => [$"--key={TestFiles.PrivateKey("client-1")}", $"--cert={TestFiles.Certificate("client-1")}"],
                ClientMode.ShareForX25519Only => ["--groups=-GROUP-ALL:+GROUP-X25519:+GROUP-SECP521R1:+GROUP-SECP384R1"],
                ClientMode.UnknownVersion => ["-v", "0x1a2a3a4a", "--preferred-versions=v1"],
                ClientMode.DraftVersion2 => ["-v", "v2draft", "--preferred-versions=v2draft,v1"],
                _ => [],
            },
            "/"));

    private protected override async Task<int> ServeAsync(QuicConnection connection, PeerProcess peer, ClientMode mode = ClientMode.Plain) =>
        (await RunAsync(connection, peer, _ => mode == ClientMode.Large ? new byte[100_000] : Answer)).Requests;

    private protected override string SuiteLine(TlsCipherSuite suite) => "Negotiated cipher suite is " + suite switch
    {
        TlsCipherSuite.TLS_AES_128_GCM_SHA256 => "AES-128-GCM",
        TlsCipherSuite.TLS_AES_256_GCM_SHA384 => "AES-256-GCM",
        _ => "CHACHA20-POLY1305",
    };

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
