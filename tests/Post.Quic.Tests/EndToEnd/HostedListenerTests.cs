using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>A listener that a host runs, by dependency injection, over real sockets.</summary>
[TestClass]
public sealed class HostedListenerTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing]
    public async Task A_hosted_listener_serves_by_the_engine_that_was_asked_for_and_drains_when_the_host_stops(
        TestEngine client, TestEngine server)
    {
        await using PostTransport clientTransport = PostPair.TransportOf(client);
        await PostPair.TransportOf(server).DisposeAsync();
        using IHost host = Build(server);
        await host.StartAsync(Cancel);
        Listener listener = host.Services.GetRequiredService<PostListeners>().Find()!;
        var serverTransport = host.Services.GetRequiredService<PostTransport>();
        await using Association association = await Association.AssociateAsync(
            clientTransport,
            Local.Anonymous,
            Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], listener.Local.Key!.Value),
            cancellationToken: Cancel);

        byte[] bytes = Bytes(200_000);
        association.Send(bytes);
        CollectionAssert.AreEqual(bytes, await TakeAsync(association));
        Assert.AreEqual(server == TestEngine.Managed ? "managed" : "system-net-quic", serverTransport.Name);

        Task stopping = host.StopAsync(Cancel);
        Assert.AreEqual("farewell", System.Text.Encoding.UTF8.GetString(await TakeAsync(association)));
        await stopping;
        await association.Completion.WaitAsync(Cancel);
        Assert.IsNull(association.Error, association.Error?.ToString());
    }

    private static IHost Build(TestEngine server)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        if (server == TestEngine.PlainMsQuic)
        {
            // What the options do not offer is given to the container ready-made.
            builder.Services.AddSingleton(PostPair.TransportOf(server));
        }

        builder.Services.AddPostQuic(options =>
        {
            options.Engine = server == TestEngine.Managed ? PostEngine.Managed : PostEngine.SystemNetQuic;
            options.MsQuicLibraryPath = Environment.GetEnvironmentVariable("POST_MSQUIC_PATH");
        });
        builder.Services.AddPostLocal(string.Empty, local =>
        {
            local.EphemeralIdentity = "server";
            local.EndPoints.Add("127.0.0.1:0");
        });
        builder.Services.AddPostListener<EchoHandler>();
        return builder.Build();
    }

    private sealed class EchoHandler : IPostHandler
    {
        public async Task RunAsync(Association association, CancellationToken stopping)
        {
            try
            {
                await foreach (ReceivedObject item in association.ReceiveAllAsync(stopping))
                {
                    using (item)
                    {
                        association.Send(item.ToArray());
                    }
                }
            }
            catch (OperationCanceledException)
            {
                association.Send("farewell"u8);
            }
        }
    }
}
