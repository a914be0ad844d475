using Post.Quic.Engine;
using Post.Quic.Interop.Tests.Foreign;
using Post.Quic.Interop.Tests.Managed;

namespace Post.Quic.Interop.Tests;

/// <summary>iroh's client with our listener; tests/peers/iroh/README.md has what it can do.</summary>
[TestClass]
public sealed class IrohClientTests : IrohTest
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public void The_client_gets_its_streams_and_datagrams_back() => Run(async own =>
    {
        await using QuicListener listener = await ListenAsync(own);
        PeerProcess peer = StartIroh(
            "client", "--key", Hex(own.PublicKey), "--address", $"127.0.0.1:{listener.LocalEndPoint.Port}", "--bind", "127.0.0.1:0", "--bind", "[::1]:0",
            "--streams", "50", "--size", "20000", "--datagrams", "20");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);
        Assert.AreEqual(KeyOf(await peer.WaitForLineAsync("key ", Cancel)), connection.RemotePublicKey);
        using EchoServer serving = EchoServer.Start(connection, Cancel);
        await peer.WaitForSuccessAsync(Cancel);
        await serving.Running.WaitAsync(Cancel);

        Assert.AreEqual(50, serving.Streams);
        Assert.IsTrue(peer.HasSaid("datagram datagram 19"));
        Assert.IsTrue(peer.HasSaid("connected " + Hex(own.PublicKey)));
    });

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public void The_client_resumes_a_session() => Run(async own =>
    {
        await using QuicListener listener = await ListenAsync(own);
        PeerProcess peer = StartIroh(
            "client", "--key", Hex(own.PublicKey), "--address", $"127.0.0.1:{listener.LocalEndPoint.Port}", "--bind", "127.0.0.1:0", "--bind", "[::1]:0",
            "--sessions", "2");
        await using QuicConnection first = await listener.AcceptConnectionAsync(Cancel);
        using EchoServer serving = EchoServer.Start(first, Cancel);
        await using QuicConnection second = await listener.AcceptConnectionAsync(Cancel);
        using EchoServer servingToo = EchoServer.Start(second, Cancel);
        await peer.WaitForSuccessAsync(Cancel);

        Assert.IsFalse(first.IsResumed);
        Assert.IsTrue(second.IsResumed);
        Assert.AreEqual(first.RemotePublicKey, second.RemotePublicKey);
    });

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public void The_client_refuses_a_listener_with_another_key() => Run(async own =>
    {
        await using QuicListener listener = await ListenAsync(own);
        using var other = QuicPrivateKey.Create(QuicKeyAlgorithm.Ed25519);
        PeerProcess peer = StartIroh(
            "client", "--key", Hex(other.PublicKey), "--address", $"127.0.0.1:{listener.LocalEndPoint.Port}", "--bind", "127.0.0.1:0", "--bind", "[::1]:0");
        await peer.WaitForLineAsync("UnknownIssuer", Cancel);
    });

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public void The_client_negotiates_multipath_and_says_what_it_thinks_of_its_path() => Run(async own =>
    {
        // It opens further paths only by its own extension for NATs (README.md): what is seen here is one path with multipath's frames.
        var notes = new ConnectionNotes();
        await using QuicListener listener = await ListenAsync(own, plain => plain with { MaxPaths = 4, Events = notes });
        PeerProcess peer = StartIroh(
            "client", "--key", Hex(own.PublicKey), "--address", $"127.0.0.1:{listener.LocalEndPoint.Port}", "--bind", "127.0.0.1:0", "--bind", "[::1]:0",
            "--streams", "20", "--size", "100000");
        await using QuicConnection connection = await listener.AcceptConnectionAsync(Cancel);
        using EchoServer serving = EchoServer.Start(connection, Cancel);
        await peer.WaitForSuccessAsync(Cancel);
        await serving.Running.WaitAsync(Cancel);

        Assert.AreEqual(20, serving.Streams);
        Assert.IsTrue(connection.IsMultipathNegotiated);
        Assert.Contains(
            static one => one.Change == QuicPathChange.StatusChanged && one.Path is { PathId: 0, PeerStatus: QuicPathStatus.Available }, notes.Paths);
    });
}
