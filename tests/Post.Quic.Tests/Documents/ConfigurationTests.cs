using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Post.Quic.Engine;
using Post.Sockets;

namespace Post.Quic.Tests.Documents;

/// <summary>The configuration that docs/operating.md prints is what there is, with the defaults that there are.</summary>
[TestClass]
public sealed class ConfigurationTests
{
    [TestMethod]
    public void It_names_every_option_and_no_other()
    {
        JsonElement post = JsonDocument.Parse(Printed()).RootElement.GetProperty("Post");
        JsonElement local = post.GetProperty("Local");
        JsonElement association = local.GetProperty("Association");

        AssertNames<PostQuicOptions>(post, "Local", "Locals");
        AssertNames<PostLocalOptions>(local, "Listener");
        AssertNames<PostAssociationSettings>(association);
        AssertNames<PostTransportLimitSettings>(association.GetProperty("TransportLimits"));
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
        Assert.AreEqual("/etc/post/server.pfx", local.CertificatePath);
        Assert.HasCount(2, local.EndPoints);
        Assert.AreEqual(1024, local.Association.TransportLimits.MaxInboundUnidirectionalStreams);
        foreach (var property in typeof(PostAssociationSettings).GetProperties().Where(static property => property.CanWrite))
        {
            Assert.IsNotNull(property.GetValue(local.Association), $"{property.Name} is not bound");
        }

        Assert.AreEqual(AssociationOptions.Default, local.Association.ToOptions());
        PostListenerOptions listener = services.GetRequiredService<IOptionsMonitor<PostListenerOptions>>().Get(string.Empty);
        Assert.AreEqual(ListenerOptions.Default.MaxAssociations, listener.MaxAssociations);
        Assert.AreEqual(ListenerOptions.Default.MaxInterrupted, listener.MaxInterrupted);
        Assert.AreEqual(ListenerOptions.Default.MaxInterruptedBytes, listener.MaxInterruptedBytes);
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
