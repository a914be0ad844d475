using System.Net;
using System.Net.Security;
using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;
using Post.Quic.Interop.Tests.Managed;
using Post.Quic.Tests.Links;

namespace Post.Quic.Interop.Tests;

/// <summary>quic-go's client with our server; tests/peers/quicgo/README.md has what it can do.</summary>
[TestClass]
public sealed class QuicGoClientTests : ForeignClientTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DataRow(1, 8_000_000)]
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
    [DataRow("-versions", "draft29", "no compatible QUIC version found")]
    [DataRow("-protocol", "other", "No application protocol")]
    public async Task The_client_hears_why_our_server_refuses_it(string option, string value, string reason)
    {
        await using QuicListener listener = await Ours.ListenAsync(Ours.Interop);
        PeerProcess peer = await StartQuicGoClientAsync(listener.LocalEndPoint, option, value);

        string line = await peer.WaitForLineAsync("failed: ", Cancel);

        Assert.Contains(reason, line);
    }

    private protected override SslApplicationProtocol Protocol => Ours.Interop;

    private protected override string AnswerLine => "peer=\"localhost\"";

    private protected override Task<PeerProcess> StartClientAsync(IPEndPoint server, ClientMode mode = ClientMode.Plain) =>
        StartQuicGoClientAsync(
            server,
            mode switch
            {
                ClientMode.Large => ["-size", "100000"],
                ClientMode.Thousand => ["-streams", "1000", "-size", "40"],
                ClientMode.Certificate => ["-certificate", TestFiles.Certificate("client-1"), "-key", TestFiles.PrivateKey("client-1")],
                ClientMode.UnknownVersion => ["-versions", "draft29,v1"],
                ClientMode.DraftVersion2 => ["-versions", "v2draft,v1"],
                _ => [],
            });

    private protected override async Task<int> ServeAsync(QuicConnection connection, PeerProcess peer, ClientMode mode = ClientMode.Plain)
    {
        using EchoServer serving = EchoServer.Start(connection, Cancel);
        await peer.WaitForSuccessAsync(Cancel);
        await serving.Running.WaitAsync(Cancel);
        return serving.Streams;
    }

    private protected override string SuiteLine(TlsCipherSuite suite) => $"suite={suite} ";

    /// <summary>Serves the client until it has all its streams back and leaves.</summary>
    private async Task RunAsync(QuicConnection connection, PeerProcess peer, int streams) =>
        Assert.AreEqual(streams, await ServeAsync(connection, peer));
}
