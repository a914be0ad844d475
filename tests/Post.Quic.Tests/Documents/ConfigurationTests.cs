using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Post.Quic.Engine;
using Post.Sockets;

namespace Post.Quic.Tests.Documents;

/// <summary>The configuration that docs/operating.md prints is what there is, with the defaults that there are.</summary>
[TestClass]
public sealed class ConfigurationTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    public void It_names_every_option_and_no_other()
    {
        JsonElement post = JsonDocument.Parse(Printed()).RootElement.GetProperty("Post");
        JsonElement local = post.GetProperty("Local");
        JsonElement association = local.GetProperty("Association");

        AssertNames<PostQuicOptions>(post, "Local", "Locals");
        AssertNames<PostLocalOptions>(local);
        AssertNames<AssociationOptions>(association);
        string[] codeOnly = [nameof(ListenerOptions.ClientTrust), nameof(ListenerOptions.Association)];
        CollectionAssert.AreEquivalent(
            typeof(ListenerOptions).GetProperties().Select(static property => property.Name).Except(codeOnly).ToArray(),
            local.GetProperty("Listener").EnumerateObject().Select(static property => property.Name).ToArray());
    }

    [TestMethod]
    public void Its_numbers_are_bound_and_are_the_defaults()
    {
        var configuration = new ConfigurationBuilder().AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Printed()))).Build();
        using ServiceProvider services = new ServiceCollection().AddPostQuic(configuration.GetSection("Post")).BuildServiceProvider();

        // Bound without the validators, which would look for the certificate's file and for the platform's QUIC.
        var options = new PostQuicOptions();
        foreach (IConfigureOptions<PostQuicOptions> configure in services.GetServices<IConfigureOptions<PostQuicOptions>>())
        {
            configure.Configure(options);
        }

        var local = new PostLocalOptions();
        foreach (IConfigureOptions<PostLocalOptions> configure in services.GetServices<IConfigureOptions<PostLocalOptions>>())
        {
            configure.Configure(local);
        }

        CollectionAssert.AreEqual(
            new[] { QuicKeyExchangeGroup.X25519MlKem768, QuicKeyExchangeGroup.X25519, QuicKeyExchangeGroup.Secp256r1 },
            options.KeyExchangeGroups.ToArray());
        CollectionAssert.AreEqual(new[] { "203.0.113.7:4433" }, options.PreferredEndPoints.ToArray());
        Assert.IsTrue(options.FollowPreferredAddress);
        Assert.AreEqual("/etc/post/server.pfx", local.CertificatePath);
        Assert.HasCount(2, local.EndPoints);
        Assert.AreEqual(new AssociationOptions(), local.Association);
        Assert.AreEqual(new ListenerOptions(), local.Listener);
    }

    [TestMethod]
    [DataRow("Association", typeof(AssociationOptions))]
    [DataRow("Listener", typeof(ListenerOptions))]
    [DataRow("Listener:Association", typeof(AssociationOptions))]
    public void Every_option_that_it_names_is_bound(string section, Type type)
    {
        foreach (PropertyInfo property in type.GetProperties().Where(static property => Other(property, null) is not null))
        {
            object other = Other(property, property.GetValue(Activator.CreateInstance(type)))!;
            var configuration = new ConfigurationBuilder()
                .AddInMemoryCollection(new Dictionary<string, string?>
                {
                    [$"Post:Local:{section}:{property.Name}"] = string.Create(CultureInfo.InvariantCulture, $"{other}"),
                })
                .Build();
            using ServiceProvider services = new ServiceCollection().AddPostQuic(configuration.GetSection("Post")).BuildServiceProvider();
            var local = new PostLocalOptions();
            foreach (IConfigureOptions<PostLocalOptions> configure in services.GetServices<IConfigureOptions<PostLocalOptions>>())
            {
                configure.Configure(local);
            }

            object? bound = section switch
            {
                "Association" => local.Association,
                "Listener" => local.Listener,
                _ => local.Listener.Association,
            };
            Assert.AreEqual(other, property.GetValue(bound), $"{section}:{property.Name}");
        }
    }

    [TestMethod]
    [Timeout(30_000, CooperativeCancellation = true)]
    public async Task It_starts_a_listener_that_IPv4_and_IPv6_reach()
    {
        if (!Socket.OSSupportsIPv6)
        {
            Assert.Inconclusive("This machine has no IPv6.");
        }

        using X509Certificate2 identity = Identity.CreateSelfSigned("server");
        using X509Certificate2 trusted = Identity.CreateSelfSigned("client");
        string file = Path.GetTempFileName() + ".pfx";
        await File.WriteAllBytesAsync(file, identity.Export(X509ContentType.Pkcs12), TestContext.CancellationToken);
        try
        {
            // As printed, but for what is of this machine: the identity's file, whose key is trusted, and a port that is free.
            string configuration = Printed()
                .Replace("/etc/post/server.pfx", file.Replace("\\", "\\\\", StringComparison.Ordinal), StringComparison.Ordinal)
                .Replace("sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", KeyFingerprint.Of(trusted).ToString(), StringComparison.Ordinal)
                .Replace(":4433", $":{FreePort()}", StringComparison.Ordinal);
            HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
            builder.Configuration.AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(configuration)));
            builder.Services.AddPostQuic(builder.Configuration.GetSection("Post"));
            builder.Services.AddPostListener<Waiting>();
            using IHost host = builder.Build();
            await host.StartAsync(TestContext.CancellationToken);
            EndPoint[] listening = [.. host.Services.GetRequiredService<PostListeners>().Find()!.LocalEndPoints];
            Assert.HasCount(2, listening);
            foreach (IPAddress loopback in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
            {
                await using Association association = await host.Services.GetRequiredService<AssociationFactory>().AssociateAsync(
                    new Local { Certificate = trusted },
                    Remote.Pinned(new IPEndPoint(loopback, ((IPEndPoint)listening[0]).Port), KeyFingerprint.Of(identity)),
                    cancellationToken: TestContext.CancellationToken);
                await association.CloseAsync(TestContext.CancellationToken);
            }

            await host.StopAsync(TestContext.CancellationToken);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>A value that the option may have and does not have; null where it is no single value.</summary>
    private static object? Other(PropertyInfo property, object? value)
    {
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return type == typeof(int) ? Convert.ToInt32(value, CultureInfo.InvariantCulture) + 1
            : type == typeof(long) ? Convert.ToInt64(value, CultureInfo.InvariantCulture) + 1
            : type == typeof(bool) ? value is not true
            : type == typeof(TimeSpan) ? ((TimeSpan?)value ?? TimeSpan.Zero) + TimeSpan.FromSeconds(1)
            : type.IsEnum ? Enum.GetValues(type).Cast<object>().First(other => !other.Equals(value))
            : null;
    }

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
        probe.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private sealed class Waiting : IPostHandler
    {
        public Task RunAsync(Association association, CancellationToken stopping) => association.Completion.WaitAsync(stopping);
    }

    private static void AssertNames<T>(JsonElement section, params string[] beside) => CollectionAssert.AreEquivalent(
        typeof(T).GetProperties().Select(static property => property.Name).Concat(beside).ToArray(),
        section.EnumerateObject().Select(static property => property.Name).ToArray(),
        typeof(T).Name);

    private static string Printed([CallerFilePath] string thisFile = "")
    {
        string text = File.ReadAllText(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../../docs/operating.md"));
        const string Begin = "<!-- configuration -->\n```json\n";
        int begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        return text[begin..text.IndexOf("```", begin, StringComparison.Ordinal)];
    }
}
