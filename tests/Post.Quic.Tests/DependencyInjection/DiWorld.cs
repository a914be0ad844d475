using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Post.Sockets;
using Post.Sockets.Testing;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.DependencyInjection;

/// <summary>A host with Post on a network in memory, and a client beside it.</summary>
internal sealed class DiWorld : IAsyncDisposable
{
    private readonly IDisposable _time;
    private readonly InMemoryTransport _clientTransport;
    private readonly IHost _host;

    public DiWorld(
        Action<IServiceCollection> configure,
        Dictionary<string, string?>? configuration = null,
        TimeSpan? shutdown = null,
        string json = "{}")
    {
        var network = new InMemoryNetwork();
        _time = network.Clock.RunInRealTime();
        _clientTransport = network.CreateTransport();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(configuration ?? []);
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json));
        builder.Configuration.AddJsonStream(stream);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = shutdown ?? TimeSpan.FromSeconds(20));
        builder.Services.AddSingleton<PostTransport>(network.CreateTransport());
        builder.Services.AddPostQuic(builder.Configuration.GetSection("Post"));
        configure(builder.Services);
        _host = builder.Build();
    }

    public IServiceProvider Services => _host.Services;

    public static Dictionary<string, string?> ListeningAt(string endPoint = "127.0.0.1:0") => new()
    {
        ["Post:Local:EphemeralIdentity"] = "server",
        ["Post:Local:EndPoints:0"] = endPoint,
    };

    public Task StartAsync(CancellationToken cancellationToken) => _host.StartAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => _host.StopAsync(cancellationToken);

    public async Task<Association> AssociateAsync(CancellationToken cancellationToken, string localName = "", Local? client = null)
    {
        Listener listener = Services.GetRequiredService<PostListeners>().Find(localName)
            ?? throw new InvalidOperationException("The listener does not run.");
        return await Association.AssociateAsync(
            _clientTransport,
            client ?? Local.Anonymous,
            Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], listener.Local.Key!.Value),
            cancellationToken: cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await ((IAsyncDisposable)_host).DisposeAsync();
        await _clientTransport.DisposeAsync();
        _time.Dispose();
    }
}
