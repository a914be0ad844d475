using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.DependencyInjection;

[TestClass]
public sealed class OptionsTests
{
    public required TestContext TestContext { get; init; }

    [TestMethod]
    public async Task Configuration_states_the_engine_and_any_number_of_locals()
    {
        await using var world = new DiWorld(_ => { }, new()
        {
            ["Post:Engine"] = "Managed",
            ["Post:Requires"] = "Datagrams, Migration",
            ["Post:Local:EphemeralIdentity"] = "here",
            ["Post:Locals:edge:EphemeralIdentity"] = "edge",
            ["Post:Locals:edge:EndPoints:0"] = "[::1]:4433",
            ["Post:Locals:edge:EndPoints:1"] = "127.0.0.1:0",
            ["Post:Locals:edge:Association:IdleTimeout"] = "00:00:07",
            ["Post:Locals:edge:Association:KeepAliveInterval"] = "00:00:00",
            ["Post:Locals:edge:Association:ReceiptLevel"] = "Processed",
            ["Post:Locals:edge:Association:ResumptionTimeout"] = "00:05:00",
        });

        PostQuicOptions engine = world.Services.GetRequiredService<IOptions<PostQuicOptions>>().Value;
        Local edge = world.Services.GetRequiredKeyedService<Local>("edge");
        AssociationOptions association = world.Services.GetRequiredService<PostLocals>().GetAssociationOptions("edge");

        Assert.AreEqual(PostEngine.Managed, engine.Engine);
        Assert.AreEqual(TransportCapabilities.Datagrams | TransportCapabilities.Migration, engine.Requires);
        CollectionAssert.AreEqual(new[] { IPEndPoint.Parse("[::1]:4433"), IPEndPoint.Parse("127.0.0.1:0") }, edge.EndPoints.ToArray());
        Assert.AreEqual(TimeSpan.FromSeconds(7), association.IdleTimeout);
        Assert.IsNull(association.KeepAliveInterval);
        Assert.AreEqual(ReceiptLevel.Processed, association.ReceiptLevel);
        Assert.AreEqual(TimeSpan.FromMinutes(5), association.ResumptionTimeout);
        Assert.AreEqual("CN=here", world.Services.GetRequiredService<Local>().Certificate!.Subject);
        Assert.AreNotEqual(edge.Key, world.Services.GetRequiredService<Local>().Key);
        Assert.AreSame(edge, world.Services.GetRequiredService<PostLocals>().Get("edge"));
    }

    [TestMethod]
    [DataRow("Post:Engine", "7", "is no engine")]
    [DataRow("Post:MsQuicLibraryPath", "libmsquic.so.2", "must be a full path")]
    [DataRow("Post:Engine", "Quiche", "Engine = 'Quiche' is no engine; there are Auto")]
    [DataRow("Post:Requires", "Datagrams, Wings", "Requires = 'Datagrams, Wings' is no capability; there are None, Datagrams")]
    [DataRow("Post:KeyExchangeGroups:0", "X448", "KeyExchangeGroups:0 = 'X448' is no key exchange group; there are Secp256r1")]
    [DataRow("Post:KeyExchangeGroups:0", "7", "7 in KeyExchangeGroups is no key exchange group; there are Secp256r1")]
    [DataRow("Post:Local:Association:StreamReceiveWindow", "100", "StreamReceiveWindow is 100; set it from 4096 to 1073741824")]
    [DataRow("Post:Local:Association:StreamReceiveWindow", "100000000", "raise the first or lower the second")]
    [DataRow("Post:Local:Association:ConnectionReceiveWindow", "2000000000", "ConnectionReceiveWindow is 2000000000; set it from")]
    [DataRow("Post:Locals:edge:Association:MaxInboundUnidirectionalStreams", "1", "Local 'edge': Association: MaxInboundUnidirectionalStreams is 1; set it from 2 to 65535")]
    [DataRow("Post:Locals:edge:Association:MaxInboundBidirectionalStreams", "-1", "MaxInboundBidirectionalStreams is -1; set it from 0 to 65535")]
    [DataRow("Post:Local:Association:MaxQueuedBytes", "much", "Local: Association: ")]
    [DataRow("Post:Local:Listener:Association:ReceiveBudget", "1000", "The default Local: Listener: Association: ReceiveBudget (1000) must be at least four times")]
    [DataRow("Post:Local:Association:IdelTimeout", "00:00:07", "The default Local: Association: ")]
    [DataRow("Post:Local:Association:IdelTimeout", "00:00:07", "'IdelTimeout'")]
    [DataRow("Post:Locals:edge:Listener:MaxInterupted", "7", "'MaxInterupted'")]
    [DataRow("Post:Locals:edge:EndPoint", "0.0.0.0:1", "'EndPoint'")]
    [DataRow("Post:Engin", "Managed", "'Engin' is no option of Post; there are Engine, ")]
    [DataRow("Post:Local:EndPoints:0", "localhost", "write it like 0.0.0.0:4433")]
    [DataRow("Post:Local:TrustedKeys:0", "sha256:12", "64 hexadecimal digits")]
    [DataRow("Post:Local:CertificatePath", "/nowhere/identity.pfx", "does not exist")]
    [DataRow("Post:Local:PrivateKeyPath", "/nowhere/identity.key", "without CertificatePath")]
    [DataRow("Post:Locals:edge:Association:IdleTimeout", "-00:00:01", "IdleTimeout")]
    [DataRow("Post:Locals:edge:Association:ResumptionTimeout", "-00:00:01", "ResumptionTimeout")]
    [DataRow("Post:Locals:edge:Association:ResumptionTimeout", "2.00:00:00", "ResumptionTimeout")]
    [DataRow("Post:Locals:edge:Association:ReceiveBudget", "1000", "at least four times MaxWholeObjectSize")]
    [DataRow("Post:Local:Association:KeepAliveInterval", "-00:00:01", "KeepAliveInterval")]
    [DataRow("Post:Local:Association:ResumptionTimeout", "-00:00:01", "ResumptionTimeout")]
    [DataRow("Post:Local:Association:ResumptionTimeout", "1.00:00:01", "ResumptionTimeout")]
    [DataRow("Post:Local:Association:AntecedentTimeout", "00:00:00", "AntecedentTimeout")]
    [DataRow("Post:Local:Association:MaxAntecedents", "-1", "MaxAntecedents")]
    [DataRow("Post:Local:Association:MaxWaitingObjects", "0", "MaxWaitingObjects")]
    [DataRow("Post:Local:Listener:MaxAssociations", "0", "The default Local: Listener: MaxAssociations is 0; set it from 1")]
    [DataRow("Post:Locals:edge:Listener:MaxInterruptedBytes", "-1", "Local 'edge': Listener: MaxInterruptedBytes is -1; set")]
    [DataRow("Post:Locals:edge:Listener:MaxInterrupted", "-1", "Local 'edge': Listener: MaxInterrupted is -1; set")]
    public async Task What_is_wrong_is_said_at_start_with_what_to_do(string key, string value, string expected)
    {
        await using var world = new DiWorld(_ => { }, new() { [key] = value });

        OptionsValidationException failure = await Assert.ThrowsAsync<OptionsValidationException>(
            () => world.StartAsync(TestContext.CancellationToken));

        StringAssert.Contains(failure.Message, expected);
    }

    [TestMethod]
    public async Task A_listeners_options_are_validated_at_start()
    {
        await using var world = new DiWorld(
            services => services.AddPostListener<HostedListenerTests.RefusingHandler>(configure: options =>
            {
                options.Association = new AssociationOptions { ReceiveBudget = 1000 };
            }),
            DiWorld.ListeningAt());

        OptionsValidationException failure = await Assert.ThrowsAsync<OptionsValidationException>(
            () => world.StartAsync(TestContext.CancellationToken));

        StringAssert.Contains(failure.Message, "The default Local: Listener: Association: ReceiveBudget (1000) must be at least four times MaxWholeObjectSize");
    }

    [TestMethod]
    public async Task Json_states_times_lists_nothing_and_a_listeners_bounds()
    {
        const string Json = """
            {
              "Post": {
                "Local": {
                  "EphemeralIdentity": "server",
                  "CertificatePath": null,
                  "EndPoints": [ "127.0.0.1:0", "[::1]:0" ],
                  "Interfaces": [],
                  "TrustedKeys": null,
                  "Association": {
                    "KeepAliveInterval": "00:00:03", "ResumptionTimeout": "00:00:00", "AntecedentTimeout": "00:00:04",
                    "MaxAntecedents": 5, "MaxWaitingObjects": 6, "IdleTimeout": null, "MaxQueuedBytes": null
                  },
                  "Listener": { "MaxAssociations": 7, "MaxInterrupted": 0, "MaxInterruptedBytes": 5 }
                }
              }
            }
            """;
        await using var world = new DiWorld(services => services.AddPostListener<HostedListenerTests.RefusingHandler>(), json: Json);
        await world.StartAsync(TestContext.CancellationToken);

        Local local = world.Services.GetRequiredService<Local>();
        AssociationOptions association = world.Services.GetRequiredService<PostLocals>().GetAssociationOptions();
        ListenerOptions listener = world.Services.GetRequiredService<IOptions<PostLocalOptions>>().Value.Listener;

        Assert.HasCount(2, local.EndPoints);
        Assert.HasCount(0, local.Interfaces);
        Assert.AreEqual(TimeSpan.FromSeconds(3), association.KeepAliveInterval);
        Assert.AreEqual(TimeSpan.Zero, association.ResumptionTimeout);
        Assert.AreEqual(TimeSpan.FromSeconds(4), association.AntecedentTimeout);
        Assert.AreEqual((5, 6), (association.MaxAntecedents, association.MaxWaitingObjects));
        Assert.AreEqual(new AssociationOptions().IdleTimeout, association.IdleTimeout);
        Assert.AreEqual(new AssociationOptions().MaxQueuedBytes, association.MaxQueuedBytes);
        Assert.AreEqual((7, 0, 5L), (listener.MaxAssociations, listener.MaxInterrupted, listener.MaxInterruptedBytes));
    }

    [TestMethod]
    public async Task A_listener_without_an_identity_is_refused_at_start()
    {
        await using var world = new DiWorld(services => services.AddPostListener<HostedListenerTests.RefusingHandler>());

        OptionsValidationException failure = await Assert.ThrowsAsync<OptionsValidationException>(
            () => world.StartAsync(TestContext.CancellationToken));

        StringAssert.Contains(failure.Message, "set CertificatePath, or EphemeralIdentity");
    }

    [TestMethod]
    [DataRow(0, 0, "The default Local: MaxAssociations is 0; set it from 1 to")]
    [DataRow(1, -1, "The default Local: MaxInterrupted is -1; set it from 0 to")]
    public async Task Bounds_of_a_listener_that_cannot_be_are_refused_at_start(int associations, int interrupted, string expected)
    {
        await using var world = new DiWorld(
            services => services.AddPostListener<HostedListenerTests.RefusingHandler>(configure: options =>
            {
                options.MaxAssociations = associations;
                options.MaxInterrupted = interrupted;
            }),
            new() { ["Post:Local:EphemeralIdentity"] = "here" });

        OptionsValidationException failure = await Assert.ThrowsAsync<OptionsValidationException>(
            () => world.StartAsync(TestContext.CancellationToken));

        StringAssert.Contains(failure.Message, expected);
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public async Task An_identity_is_read_from_pkcs12_and_from_pem(bool pem)
    {
        string directory = Directory.CreateTempSubdirectory("post-options-").FullName;
        try
        {
            using var identity = Identity.CreateSelfSigned("kept");
            string path = Path.Combine(directory, pem ? "identity.pem" : "identity.pfx");
            if (pem)
            {
                await File.WriteAllTextAsync(
                    path, identity.ExportCertificatePem() + "\n" + identity.GetECDsaPrivateKeyPem(), TestContext.CancellationToken);
            }
            else
            {
                await File.WriteAllBytesAsync(
                    path,
                    identity.Export(System.Security.Cryptography.X509Certificates.X509ContentType.Pkcs12, "secret"),
                    TestContext.CancellationToken);
            }

            await using var world = new DiWorld(services => services.AddPostLocal("kept", options =>
            {
                options.CertificatePath = path;
                options.CertificatePassword = pem ? null : "secret";
            }));
            await world.StartAsync(TestContext.CancellationToken);

            Local local = world.Services.GetRequiredKeyedService<Local>("kept");

            Assert.AreEqual(KeyFingerprint.Of(identity), local.Key);
            Assert.IsTrue(local.Certificate!.HasPrivateKey);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
