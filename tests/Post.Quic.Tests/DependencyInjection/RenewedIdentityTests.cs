using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Post.Quic.Tests.EndToEnd;
using Post.Sockets;

namespace Post.Quic.Tests.DependencyInjection;

/// <summary>Certificates expire, and their files are replaced while the program runs.</summary>
[TestClass]
public sealed class RenewedIdentityTests
{
    private readonly string _directory = Directory.CreateTempSubdirectory("identity").FullName;

    public TestContext TestContext { get; set; } = null!;

    private CancellationToken Cancel => TestContext.CancellationToken;

    private string CertificatePath => Path.Combine(_directory, "server.crt");

    private string KeyPath => Path.Combine(_directory, "server.key");

    [TestCleanup]
    public void Clean() => Directory.Delete(_directory, recursive: true);

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task New_connections_show_the_certificate_that_has_replaced_the_first()
    {
        using X509Certificate2 first = Identity.CreateSelfSigned("server");
        using X509Certificate2 second = Identity.CreateSelfSigned("server");
        await WriteAsync(first);
        var log = new Warnings();
        using IHost host = CreateHost(log);
        await host.StartAsync(Cancel);
        await using Association before = await AssociateAsync(host, first);

        await WriteAsync(second);
        await UntilShownAsync(host, second);

        // Who was there before goes on.
        (await before.Send("still here"u8).Completion.WaitAsync(Cancel)).EnsureAcked();
        await Assert.ThrowsExactlyAsync<PostException>(() => AssociateAsync(host, first).AsTask());
        Assert.IsTrue(log.Lines.Any(line => line.Contains(KeyFingerprint.Of(second).ToString(), StringComparison.Ordinal)));
        await before.CloseAsync(Cancel);
        await host.StopAsync(Cancel);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    public async Task A_pair_that_is_half_written_leaves_the_old_one_in_use_until_it_is_whole()
    {
        using X509Certificate2 first = Identity.CreateSelfSigned("server");
        using X509Certificate2 second = Identity.CreateSelfSigned("server");
        await WriteAsync(first);
        var log = new Warnings();
        using IHost host = CreateHost(log);
        await host.StartAsync(Cancel);
        await using (await AssociateAsync(host, first))
        {
        }

        // The certificate is there, its key is not yet; then half of the key.
        await File.WriteAllTextAsync(CertificatePath, second.ExportCertificatePem(), Cancel);
        await UntilAsync(() => log.Lines.Any(line => line.Contains("the old certificate stays", StringComparison.Ordinal)));
        await using (await AssociateAsync(host, first))
        {
        }

        string key = KeyPem(second);
        await File.WriteAllTextAsync(KeyPath, key[..(key.Length / 2)], Cancel);
        await Task.Delay(1_000, Cancel);
        await using (await AssociateAsync(host, first))
        {
        }

        await File.WriteAllTextAsync(KeyPath, key, Cancel);
        await UntilShownAsync(host, second);
        await host.StopAsync(Cancel);
    }

    [TestMethod]
    [Timeout(60_000, CooperativeCancellation = true)]
    [DataRow(TestEngine.Managed)]
    [DataRow(TestEngine.PlainMsQuic)]
    public async Task A_client_shows_its_renewed_identity_with_its_next_connection(TestEngine engine)
    {
        using X509Certificate2 server = Identity.CreateSelfSigned("server");
        using X509Certificate2 first = Identity.CreateSelfSigned("client");
        using X509Certificate2 second = Identity.CreateSelfSigned("client");
        await using var transport = PostPair.TransportOf(engine);
        await using Listener listener = await Listener.ListenAsync(
            transport,
            Local.At(new IPEndPoint(IPAddress.Loopback, 0), server),
            new ListenerOptions { ClientTrust = PeerTrust.Pinned(KeyFingerprint.Of(first), KeyFingerprint.Of(second)) },
            Cancel);
        var renewable = new RenewableIdentity(first);
        var client = new Local { Renewable = renewable };
        foreach (X509Certificate2 shown in new[] { first, second })
        {
            renewable.Renew(shown);
            ValueTask<Association?> accepting = listener.AcceptAsync(Cancel);
            await using Association association = await Association.AssociateAsync(
                transport, client, Remote.Pinned((IPEndPoint)listener.LocalEndPoints[0], KeyFingerprint.Of(server)), cancellationToken: Cancel);
            await using Association? accepted = await accepting;

            Assert.AreEqual(KeyFingerprint.Of(shown), accepted!.Peer.Key);
            Assert.AreEqual(KeyFingerprint.Of(shown), client.Key);
        }
    }

    private static string KeyPem(X509Certificate2 certificate)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }

    private async Task WriteAsync(X509Certificate2 certificate)
    {
        await File.WriteAllTextAsync(CertificatePath, certificate.ExportCertificatePem(), Cancel);
        await File.WriteAllTextAsync(KeyPath, KeyPem(certificate), Cancel);
    }

    private IHost CreateHost(Warnings log)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(log);
        builder.Services.AddPostQuic(options => options.Engine = PostEngine.Managed);
        builder.Services.AddPostLocal(string.Empty, options =>
        {
            options.CertificatePath = CertificatePath;
            options.PrivateKeyPath = KeyPath;
            options.EndPoints.Add("127.0.0.1:0");
        });
        builder.Services.AddPostListener<Waiting>();
        return builder.Build();
    }

    private async ValueTask<Association> AssociateAsync(IHost host, X509Certificate2 expected)
    {
        var address = (IPEndPoint)host.Services.GetRequiredService<PostListeners>().Find()!.LocalEndPoints[0];
        return await host.Services.GetRequiredService<AssociationFactory>().AssociateAsync(
            Local.Anonymous, Remote.Pinned(address, KeyFingerprint.Of(expected)), cancellationToken: Cancel);
    }

    private async Task UntilShownAsync(IHost host, X509Certificate2 expected)
    {
        while (true)
        {
            try
            {
                await using Association association = await AssociateAsync(host, expected);
                return;
            }
            catch (PostException)
            {
                await Task.Delay(50, Cancel);
            }
        }
    }

    private async Task UntilAsync(Func<bool> isSo)
    {
        while (!isSo())
        {
            await Task.Delay(20, Cancel);
        }
    }

    private sealed class Waiting : IPostHandler
    {
        public ValueTask AcceptAsync(Accept accept)
        {
            accept.Association.Register<Received>(_ => { });
            return default;
        }

        public Task RunAsync(Association association, CancellationToken stopping) => association.Completion.WaitAsync(stopping);
    }

    private sealed class Warnings : ILoggerProvider, ILogger
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                {
                    return [.. _lines];
                }
            }
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines)
            {
                _lines.Add(formatter(state, exception));
            }
        }

        public void Dispose()
        {
        }
    }
}
