using System.Globalization;
using System.Net;

namespace Post.Quic.Interop.Tests.Foreign;

/// <summary>What all tests with a foreign program share: its life, and its output beside the failure.</summary>
public abstract class PeerTest
{
    /// <summary>For every test here: the machine may be loaded, but nothing waits for ever.</summary>
    internal const int TimeoutMilliseconds = 60_000;

    private readonly List<PeerProcess> _peers = [];

    public TestContext TestContext { get; set; } = null!;

    private protected CancellationToken Cancel => TestContext.CancellationToken;

    [TestCleanup]
    public async Task EndPeersAsync()
    {
        foreach (PeerProcess peer in _peers)
        {
            if (TestContext.CurrentTestOutcome is not (UnitTestOutcome.Passed or UnitTestOutcome.Inconclusive))
            {
                TestContext.WriteLine(peer.Output);
            }

            await peer.DisposeAsync();
        }
    }

    private protected PeerProcess Start(string program, params IEnumerable<string> arguments)
    {
        PeerProcess peer = PeerProcess.Start(program, TestFiles.Directory, arguments);
        _peers.Add(peer);
        return peer;
    }

    private protected async Task<(PeerProcess Peer, IPEndPoint EndPoint)> StartQuicGoServerAsync(params string[] arguments)
    {
        string program = await Peers.RequireQuicGoAsync();
        PeerProcess peer = Start(
            program,
            ["server", "-certificate", TestFiles.Certificate("server"), "-key", TestFiles.PrivateKey("server"), .. arguments]);
        string line = await peer.WaitForLineAsync("listening ", Cancel);
        return (peer, IPEndPoint.Parse(line["listening ".Length..]));
    }

    private protected async Task<PeerProcess> StartQuicGoClientAsync(IPEndPoint server, params string[] arguments)
    {
        string program = await Peers.RequireQuicGoAsync();
        return Start(
            program,
            ["client", "-address", server.ToString(), "-authority", TestFiles.Certificate("ca"), .. arguments]);
    }

    private protected async Task<(PeerProcess Peer, IPEndPoint EndPoint)> StartGtlsServerAsync(
        IPAddress address, params string[] arguments)
    {
        string program = Peers.Require("gtlsserver");
        IPEndPoint endPoint = Peers.FreeEndPoint(address);
        PeerProcess peer = Start(
            program,
            [
                "--no-quic-dump", "--no-http-dump", .. arguments,
                address.ToString(), endPoint.Port.ToString(CultureInfo.InvariantCulture),
                TestFiles.PrivateKey("server"), TestFiles.Certificate("server"),
            ]);
        await peer.WaitForLineAsync("Using document root", Cancel);
        return (peer, endPoint);
    }

    private protected PeerProcess StartGtlsClient(IPEndPoint server, string[] options, params string[] paths)
    {
        string program = Peers.Require("gtlsclient");
        return Start(
            program,
            [
                "--no-quic-dump", "--no-http-dump", "--exit-on-all-streams-close", "--sni=localhost", .. options,
                server.Address.ToString(), server.Port.ToString(CultureInfo.InvariantCulture),
                .. paths.Select(path => "https://localhost" + path),
            ]);
    }
}
