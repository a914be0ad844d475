using System.Security.Cryptography.X509Certificates;
using Post.Sockets.Protocol;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Resumption;

/// <summary>A listener of ours, and clients that say what a test makes them say.</summary>
internal sealed class RawClients(InMemoryNetwork network, PostTransport transport, Listener listener, ListenerOptions options)
{
    public InMemoryNetwork Network { get; } = network;

    public Listener Listener { get; } = listener;

    public List<Association> Accepted { get; } = [];

    public Task DelayAsync(double milliseconds) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), Network.Clock);

    public async Task<RawEnd> ConnectAsync(X509Certificate2? identity = null, Local? local = null, bool early = false) => new(
        await transport.ConnectAsync(
            new TransportConnectRequest
            {
                Local = (local ?? Local.Anonymous) with { Certificate = identity },
                Remote = Remote.Named("server", 1),
                Options = new() { AllowEarlyData = early, IdleTimeout = (options.Association ?? new()).IdleTimeout },
            },
            CancellationToken.None));

    /// <summary>Begins an association with an id, and waits until the server has said HELLO.</summary>
    public async Task<RawEnd> BeginAsync(UInt128 id, X509Certificate2? identity = null, Local? local = null, bool expectId = true, HelloFeatures features = HelloFeatures.DatagramObjects)
    {
        var end = await ConnectAsync(identity, local);
        await end.SayHelloAsync(new HelloFrame { AssociationId = id, Features = features });
        while (end.Hello is null)
        {
            await DelayAsync(1);
        }

        Assert.AreEqual(expectId, end.Hello.AssociationId == id);
        return end;
    }
}
