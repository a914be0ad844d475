using System.Net;
using System.Net.Security;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;
using Post.Quic.Interop.Tests.Managed;

namespace Post.Quic.Interop.Tests;

/// <summary>quic-go's client with our server; tests/peers/quicgo/README.md has what it can do.</summary>
[TestClass]
public sealed class QuicGoClientTests : PeerTest
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow("127.0.0.1")]
    [DataRow("::1")]
    public async Task The_client_shakes_hands_with_our_server_and_gets_an_echo(string address)
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop, address: IPAddress.Parse(address));
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint);
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, streams: 1);

        Assert.AreEqual("localhost", connection.TargetHostName);
        Assert.AreEqual(QuicKeyExchangeGroup.X25519, connection.NegotiatedKeyExchangeGroup);
        Assert.IsTrue(peer.HasSaid("peer=\"localhost\""));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_answers_our_hello_retry_request()
    {
        // Its only key share is for X25519.
        await using QuicListener listener = await Ours.ListenAsync(
            Ours.Interop, plain => plain with { KeyExchangeGroups = [QuicKeyExchangeGroup.Secp384r1] });
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint);
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, streams: 1);

        Assert.AreEqual(QuicKeyExchangeGroup.Secp384r1, connection.NegotiatedKeyExchangeGroup);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(1, 8_000_000)]
    [DataRow(1000, 40)]
    [DataRow(10, 500_000)]
    public async Task The_client_gets_its_streams_back_intact(int streams, int size)
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop);
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint, "-streams", $"{streams}", "-size", $"{size}");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, streams);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_gets_unidirectional_streams_back()
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop);
        PeerProcess peer = await StartQuicGoClientAsync(
            listener.LocalEndPoint, "-do", "unidirectional", "-streams", "200", "-size", "3000", "-concurrent", "50");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, streams: 200);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_follows_our_retry()
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop, retry: RetryPolicy.Always);
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint);
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, streams: 1);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(TlsCipherSuite.TLS_AES_128_GCM_SHA256)]
    [DataRow(TlsCipherSuite.TLS_AES_256_GCM_SHA384)]
    [DataRow(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256)]
    public async Task The_client_and_our_server_agree_on_each_cipher_suite(TlsCipherSuite suite)
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop, suite: suite);
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint, "-size", "100000");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, streams: 1);

        Assert.AreEqual(suite, connection.NegotiatedCipherSuite);
        Assert.IsTrue(peer.HasSaid($"suite={suite} "));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(false)]
    [DataRow(true)]
    public async Task The_client_resumes_a_session(bool early)
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop, plain => plain with { EnableEarlyData = early });

        // Its only share is for X25519. Early data shows that we take it: a HelloRetryRequest rejects early data (RFC 8446
        // section 4.2.10).
        PeerProcess peer = await StartQuicGoClientAsync(
            listener.LocalEndPoint, "-sessions", "2", early ? "-early" : "-early=false");
        await using QuicConnection first = await listener.AcceptConnectionAsync(Cancel);
        using EchoServer serving = EchoServer.Start(first, Cancel);
        await using QuicConnection second = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(second, peer, streams: 1);
        await serving.Running.WaitAsync(Cancel);

        Assert.IsFalse(first.IsResumed);
        Assert.IsTrue(second.IsResumed);
        Assert.IsTrue(peer.HasSaid("connected resumed=false early=false"));
        Assert.IsTrue(peer.HasSaid(early ? "connected resumed=true early=true" : "connected resumed=true early=false"));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_server_updates_the_keys()
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop);
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint, "-streams", "20", "-concurrent", "1", "-pause", "20ms");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);
        using EchoServer serving = EchoServer.Start(connection, Cancel);

        await serving.WaitForStreamsAsync(5, Cancel);
        Assert.IsTrue(connection.TryUpdateKeys());
        await peer.WaitForSuccessAsync(Cancel);
        await serving.Running.WaitAsync(Cancel);

        Assert.AreEqual(20, serving.Streams);
        Assert.AreEqual(1, connection.GetStatistics().KeyUpdates);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_shows_its_certificate()
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop, askForCertificate: true);
        PeerProcess peer = await StartQuicGoClientAsync(
            listener.LocalEndPoint, "-certificate", TestFiles.Certificate("client-2"), "-key", TestFiles.PrivateKey("client-2"));
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, streams: 1);

        Assert.AreEqual("CN=client 2", connection.RemoteCertificate?.Subject);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_server_follows_the_client_to_another_port_behind_a_nat()
    {
        var notes = new ConnectionNotes();
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop, plain => plain with { Events = notes });
        await using var nat = new UdpRelay(listener.LocalEndPoint);

        // A client that waited for an answer that was lost at the change would say nothing, and nobody would find it again.
        PeerProcess peer = await StartQuicGoClientAsync(
            nat.EndPoint, "-streams", "30", "-size", "20000", "-concurrent", "30", "-pause", "20ms");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);
        using EchoServer serving = EchoServer.Start(connection, Cancel);
        Assert.AreEqual(nat.OutsideEndPoint, connection.RemoteEndPoint);

        // An address must stay the same until the handshake is confirmed (RFC 9000 section 9).
        await serving.WaitForStreamsAsync(5, Cancel);
        nat.Rebind();
        await peer.WaitForSuccessAsync(Cancel);
        await serving.Running.WaitAsync(Cancel);

        Assert.AreEqual(30, serving.Streams);
        Assert.AreEqual(nat.OutsideEndPoint, connection.RemoteEndPoint);
        Assert.Contains(
            path => path.Change == QuicPathChange.Validated && path.Path.RemoteEndPoint.Equals(nat.OutsideEndPoint), notes.Paths);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Resets_carry_their_codes_both_ways()
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop);
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint, "-do", "reset", "-code", $"{0x1234567}");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);
        await using QuicStream stream = await connection.AcceptInboundStreamAsync(Cancel);

        QuicException reset = await Assert.ThrowsExactlyAsync<QuicException>(() => stream.ReadToEndAsync(Cancel));
        stream.Abort(QuicAbortDirection.Write, 0x7654321);
        await peer.WaitForSuccessAsync(Cancel);

        Assert.AreEqual(0x1234567, reset.ApplicationErrorCode);
        Assert.IsTrue(peer.HasSaid($"reset with {0x7654321}"));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Stops_carry_their_codes_both_ways()
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop);
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint, "-do", "stop", "-code", $"{0x1234567}");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);
        await using QuicStream stream = await connection.AcceptInboundStreamAsync(Cancel);

        QuicException stopped = await Assert.ThrowsExactlyAsync<QuicException>(() => stream.WritesClosed.WaitAsync(Cancel));
        stream.Abort(QuicAbortDirection.Read, 0x7654321);
        await peer.WaitForSuccessAsync(Cancel);

        Assert.AreEqual(0x1234567, stopped.ApplicationErrorCode);
        Assert.IsTrue(peer.HasSaid($"stopped with {0x7654321}"));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task Our_server_hears_the_code_of_a_close()
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop);
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint, "-do", "close", "-code", $"{0x1234567}");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, streams: 1);
        QuicException closed = await Assert.ThrowsExactlyAsync<QuicException>(() => connection.Closed.WaitAsync(Cancel));

        Assert.AreEqual(0x1234567, closed.ApplicationErrorCode);
        Assert.Contains("as told", closed.Message);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_hears_the_code_of_our_close()
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop);
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint, "-do", "closed");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await connection.CloseAsync(0x7654321, "enough", Cancel);

        await peer.WaitForSuccessAsync(Cancel);
        Assert.IsTrue(peer.HasSaid($"closed with {0x7654321} \"enough\" remote=true"));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_client_gets_its_datagrams_back()
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop);
        PeerProcess peer = await StartQuicGoClientAsync(
            listener.LocalEndPoint, "-do", "datagrams", "-streams", "50", "-size", "800");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, streams: 0);

        Assert.IsTrue(peer.HasSaid("datagrams back: 50"));
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow("draft29,v1")]
    [DataRow("v2draft,v1")]
    public async Task The_client_falls_back_to_version_1(string versions)
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop);
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint, "-versions", versions);
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);

        await RunAsync(connection, peer, streams: 1);

        Assert.AreEqual(1, connection.NegotiatedVersion);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow("-versions", "draft29", "no compatible QUIC version found")]
    [DataRow("-protocol", "other", "No application protocol")]
    public async Task The_client_hears_why_our_server_refuses_it(string option, string value, string reason)
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop);
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint, option, value);

        string line = await peer.WaitForLineAsync("failed: ", Cancel);

        Assert.Contains(reason, line);
    }

    /// <summary>Serves the client until it has all its streams back and leaves.</summary>
    private async Task RunAsync(QuicConnection connection, PeerProcess peer, int streams)
    {
        using EchoServer serving = EchoServer.Start(connection, Cancel);
        await peer.WaitForSuccessAsync(Cancel);
        await serving.Running.WaitAsync(Cancel);
        Assert.AreEqual(streams, serving.Streams);
    }
}
