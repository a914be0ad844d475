using System.Net;
using Post.Quic.Benchmarks.Links;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>An engine that carries Post: on the level of objects its peers are associations.</summary>
internal abstract class PostObjectsEngine : BenchEngine
{
    protected abstract PostTransport CreateTransport();

    public override async Task<ObjectService> ServeAsync(ServiceOptions options, CancellationToken cancellationToken)
    {
        PostTransport transport = CreateTransport();
        try
        {
            Listener listener = await Listener.ListenAsync(
                transport,
                Local.At(BenchIdentity.AnyPort, BenchIdentity.Certificate),
                new ListenerOptions { Association = options.Association },
                cancellationToken);
            var server = (IPEndPoint)listener.LocalEndPoints[0];
            UdpRelay? link = options.Link is null ? null : UdpRelay.Start(server, options.Link);
            return new Service(transport, listener, link, link?.EndPoint ?? server, options);
        }
        catch
        {
            await transport.DisposeAsync();
            throw;
        }
    }

    private sealed class Service(
        PostTransport transport, Listener listener, UdpRelay? link, IPEndPoint server, ServiceOptions options) : ObjectService
    {
        private readonly AssociationFactory _host = new(transport);
        private readonly Local _local = Local.Anonymous with { Sessions = options.Sessions };
        private readonly Remote _remote = Remote.Pinned(server, KeyFingerprint.Of(BenchIdentity.Certificate));

        public override async Task<ObjectPeer> AcceptAsync(CancellationToken cancellationToken) =>
            new PostPeer((await listener.AcceptAsync(cancellationToken))!);

        public override async Task<ObjectPeer> ConnectAsync(CancellationToken cancellationToken) =>
            new PostPeer(await _host.AssociateAsync(_local, _remote, options.Association, cancellationToken));

        public override async ValueTask DisposeAsync()
        {
            await listener.DisposeAsync();
            await transport.DisposeAsync();
            link?.Dispose();
        }
    }
}
