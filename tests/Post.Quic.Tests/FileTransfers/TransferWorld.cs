using System.Net;
using FileTransfer;
using FileTransfer.Client;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using FileTransfer.Sending;
using FileTransfer.Serving;
using FileTransfer.Sources;
using Post.Quic.Tests.EndToEnd;
using Post.Quic.Tests.Links;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>A server and clients of it over loopback, on any pairing of engines.</summary>
internal sealed class TransferWorld : IAsyncDisposable
{
    private readonly TempDirectory _directory;
    private readonly RecordingReporter _reporter = new();
    private readonly PostTransport _clientTransport;
    private readonly PostTransport _serverTransport;
    private FileServer? _server;

    private TransferWorld(TestEngine client, TestEngine server, TempDirectory directory)
    {
        _clientTransport = PostPair.TransportOf(client);
        _serverTransport = PostPair.TransportOf(server);
        _directory = directory;
    }

    public UdpRelay? Relay { get; private set; }

    public string Fetched => _directory.Combine("fetched");

    public string Served => _directory.Combine("served");

    /// <summary>What the server has told.</summary>
    public IEnumerable<string> Notes => _reporter.Notes;

    public static async Task<TransferWorld> StartAsync(
        TestEngine client,
        TestEngine server,
        TempDirectory directory,
        bool isWritable,
        CancellationToken cancellationToken,
        LinkShape? link = null)
    {
        var world = new TransferWorld(client, server, directory);
        Directory.CreateDirectory(directory.Combine("served"));
        var local = Local.At(new IPEndPoint(IPAddress.Loopback, 0), Identity.CreateSelfSigned());
        world._server = await FileServer.StartAsync(
            new AssociationFactory(world._serverTransport), local, directory.Combine("served"), isWritable, world._reporter, cancellationToken);
        world.Relay = link is null ? null : new UdpRelay(world._server.EndPoint, link);
        return world;
    }

    /// <summary>A world on the managed engine alone, for what no transport has a part in.</summary>
    public static Task<TransferWorld> StartAsync(TempDirectory directory, CancellationToken cancellationToken, LinkShape? link = null) =>
        StartAsync(TestEngine.Managed, TestEngine.Managed, directory, isWritable: true, cancellationToken, link);

    public Task<FileClient> ConnectAsync(CancellationToken cancellationToken) => FileClient.ConnectAsync(
        new AssociationFactory(_clientTransport),
        Local.Anonymous,
        Remote.Pinned(Relay?.EndPoint ?? _server!.EndPoint, _server!.Key),
        cancellationToken);

    public static async Task<TransferResult> PutAsync(
        FileClient client, string path, TransferProgress progress, CancellationToken cancellationToken)
    {
        using SourceTree source = SourceTree.Arguments([path]);
        return await client.PutAsync(
            source, SourceQuery.Everything, new PutRequest(new byte[16]), new SendingRate(0), progress, _ => { }, _ => { }, cancellationToken);
    }

    /// <summary>Fetches, whatever comes of it.</summary>
    public async Task<(TransferResult Result, TransferProgress Progress)> TryGetAsync(
        CancellationToken cancellationToken, GetRequest? query = null, DestinationOptions? options = null, string? to = null)
    {
        var progress = new TransferProgress();
        await using FileClient client = await ConnectAsync(cancellationToken);
        using var destination = new DestinationTree(to ?? Fetched);
        TransferResult result = await client.GetAsync(
            query ?? new GetRequest([]), destination, options ?? new DestinationOptions(), progress, cancellationToken);
        return (result, progress);
    }

    public async Task<TransferProgress> GetAsync(CancellationToken cancellationToken)
    {
        (TransferResult result, TransferProgress progress) = await TryGetAsync(cancellationToken);
        Assert.IsEmpty(result.Failed);
        return progress;
    }

    public void AssertSame(params string[] names)
    {
        foreach (string name in names)
        {
            CollectionAssert.AreEqual(
                File.ReadAllBytes(_directory.Combine("served/" + name)), File.ReadAllBytes(_directory.Combine("fetched/" + name)), name);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        await _clientTransport.DisposeAsync();
        await _serverTransport.DisposeAsync();
        if (Relay is not null)
        {
            await Relay.DisposeAsync();
        }
    }
}
