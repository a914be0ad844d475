using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine;
using Post.Quic.SystemNetQuic;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>Identities that are keys without certificates. The managed engine has them, and System.Net.Quic says that it does not.</summary>
[TestClass]
public sealed class BareKeyTests : EndToEndTests
{
    public static IEnumerable<object[]> Algorithms =>
        Enum.GetValues<QuicKeyAlgorithm>().Where(QuicPrivateKey.IsSupported).Select(static one => new object[] { one });

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [DynamicData(nameof(Algorithms))]
    public async Task Both_sides_know_each_other_by_bare_keys(QuicKeyAlgorithm algorithm)
    {
        using var server = QuicIdentityKey.Create(algorithm);
        using var client = QuicIdentityKey.ImportPem(QuicIdentityKey.Create(algorithm).ExportPem());
        await using PostTransport transport = PostPair.TransportOf(TestEngine.Managed);
        await using Listener listener = await ListenAsync(transport, new Local { BareKey = server }, PeerTrust.BareKey(client.Fingerprint));
        var local = new Local { BareKey = client, Sessions = new MemorySessionCache() };
        for (int i = 0; i < 2; i++)
        {
            (Association near, Association far) = await AssociateAsync(transport, listener, local, PeerTrust.Pinned(server.Fingerprint));
            await using (near)
            await using (far)
            {
                Assert.AreEqual((PeerProof.PinnedKey, (KeyFingerprint?)server.Fingerprint), (near.Peer.Proof, near.Peer.Key));
                Assert.AreEqual((PeerProof.PinnedKey, (KeyFingerprint?)client.Fingerprint), (far.Peer.Proof, far.Peer.Key));
                Assert.IsTrue(near.Peer.BareKey.Span.SequenceEqual(server.SubjectPublicKeyInfo.Span));
                Assert.IsNull(near.Peer.Certificate);
                near.Send(Bytes(5));
                Assert.HasCount(5, await TakeAsync(far));
                far.Send(Bytes(7));
                Assert.HasCount(7, await TakeAsync(near));
            }
        }
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_listener_with_both_shows_each_peer_what_it_takes()
    {
        using var key = QuicIdentityKey.Create();
        using X509Certificate2 certificate = Identity.CreateSelfSigned("server");
        await using PostTransport transport = PostPair.TransportOf(TestEngine.Managed);
        await using Listener listener = await ListenAsync(transport, new Local { BareKey = key, Certificate = certificate });

        (Association byKey, _) = await AssociateAsync(transport, listener, Local.Anonymous, PeerTrust.BareKey(key.Fingerprint));
        Assert.AreEqual(key.Fingerprint, byKey.Peer.Key);
        await byKey.DisposeAsync();
        (Association byCertificate, _) = await AssociateAsync(transport, listener, Local.Anonymous, PeerTrust.Pinned(KeyFingerprint.Of(certificate)));
        Assert.AreEqual(KeyFingerprint.Of(certificate), byCertificate.Peer.Key);
        Assert.IsNotNull(byCertificate.Peer.Certificate);
        await byCertificate.DisposeAsync();
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task The_application_judges_keys_that_it_did_not_know_before()
    {
        using var server = QuicIdentityKey.Create();
        using var client = QuicIdentityKey.Create();
        var judged = new List<KeyFingerprint>();
        await using PostTransport transport = PostPair.TransportOf(TestEngine.Managed);
        await using Listener listener = await ListenAsync(transport, new Local { BareKey = server }, PeerTrust.BareKey((key, encoded) =>
        {
            judged.Add(key);
            return key == KeyFingerprint.OfPublicKey(encoded.Span);
        }));
        (Association near, Association far) = await AssociateAsync(
            transport, listener, new Local { BareKey = client }, PeerTrust.BareKey(server.Fingerprint));
        Assert.AreEqual(client.Fingerprint, judged.Single());
        Assert.AreEqual((PeerProof.Callback, (KeyFingerprint?)client.Fingerprint), (far.Peer.Proof, far.Peer.Key));
        await near.DisposeAsync();
        await far.DisposeAsync();
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_ticket_is_all_that_it_takes()
    {
        using var server = QuicIdentityKey.Create();
        await using PostTransport transport = PostPair.TransportOf(TestEngine.Managed);
        var local = new Local { BareKey = server };
        await using Listener listener = await ListenAsync(transport, local);
        var address = (IPEndPoint)listener.LocalEndPoints[0];
        string text = new RemoteTicket(local.Key!.Value, address.Port, [address.Address.ToString()], showsBareKey: true).ToString();

        Task<Association?> accepting = listener.AcceptAsync(Cancel).AsTask();
        await using Association near = await Association.AssociateAsync(
            transport, Local.Anonymous, RemoteTicket.Parse(text).ToRemote(), cancellationToken: Cancel);
        await using Association far = (await accepting)!;
        Assert.AreEqual(server.Fingerprint, near.Peer.Key);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task A_key_that_is_not_the_one_is_refused_and_named()
    {
        using var server = QuicIdentityKey.Create();
        using var other = QuicIdentityKey.Create();
        await using PostTransport transport = PostPair.TransportOf(TestEngine.Managed);
        await using Listener listener = await ListenAsync(transport, new Local { BareKey = server });
        PostException refused = await Assert.ThrowsExactlyAsync<PostException>(
            () => AssociateOneSidedAsync(transport, listener, Local.Anonymous, PeerTrust.Pinned(other.Fingerprint)));
        Assert.AreEqual(TransportErrorReason.AuthenticationFailed, refused.TransportReason);
        Assert.Contains(server.Fingerprint.ToString(), refused.Message);
        Assert.Contains(other.Fingerprint.ToString(), refused.Message);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    public async Task SystemNetQuic_says_that_it_has_no_bare_keys()
    {
        using var key = QuicIdentityKey.Create();
        await using PostTransport transport = PostPair.TransportOf(TestEngine.PlainMsQuic);
        PostException listening = await Assert.ThrowsExactlyAsync<PostException>(() => ListenAsync(transport, new Local { BareKey = key }));
        Assert.AreEqual(TransportErrorReason.NotSupported, listening.TransportReason);
        Assert.Contains("managed engine", listening.Message);
        PostException connecting = await Assert.ThrowsExactlyAsync<PostException>(() => Association.AssociateAsync(
            transport, Local.Anonymous, Remote.WithBareKey("localhost", 1, key.Fingerprint), cancellationToken: Cancel).AsTask());
        Assert.AreEqual(TransportErrorReason.NotSupported, connecting.TransportReason);
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux | OperatingSystems.OSX | OperatingSystems.Windows)]
    public void SystemNetQuic_refuses_bare_keys_where_leaving_them_out_would_not_be_noticed()
    {
        using var key = QuicIdentityKey.Create();
        using X509Certificate2 certificate = Identity.CreateSelfSigned("both");
#pragma warning disable CA1416 // The condition above.
        SystemNetQuicTransport.ThrowIfBareKey(new Local { BareKey = key, Certificate = certificate }, PeerTrust.Pinned(key.Fingerprint));
        foreach ((Local local, PeerTrust? trust) in new (Local, PeerTrust?)[]
        {
            (new Local { BareKey = key }, null), (Local.Anonymous, PeerTrust.BareKey(key.Fingerprint)), (Local.Anonymous, PeerTrust.BareKey((_, _) => true)),
        })
        {
            TransportException refused = Assert.ThrowsExactly<TransportException>(() => SystemNetQuicTransport.ThrowIfBareKey(local, trust));
#pragma warning restore CA1416
            Assert.AreEqual(TransportErrorReason.NotSupported, refused.Reason);
            Assert.Contains("managed engine", refused.Message);
        }
    }

    [TestMethod]
    public void A_key_is_kept_in_a_file_of_its_owners()
    {
        string directory = Directory.CreateTempSubdirectory("post-keys-").FullName;
        try
        {
            string path = Path.Combine(directory, "identity.pem");
            using var key = QuicIdentityKey.Create();
            key.Save(path);
            using var again = QuicIdentityKey.Load(path);
            Assert.AreEqual(key.Fingerprint, again.Fingerprint);
            if (!OperatingSystem.IsWindows())
            {
                Assert.AreEqual(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            }

            Assert.ThrowsExactly<IOException>(() => again.Save(path));
            string wrong = Path.Combine(directory, "wrong.pem");
            File.WriteAllText(wrong, "no key");
            Assert.Contains(wrong, Assert.ThrowsExactly<CryptographicException>(() => QuicIdentityKey.Load(wrong)).Message);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task<Listener> ListenAsync(PostTransport transport, Local local, PeerTrust? clients = null) => await Listener.ListenAsync(
        transport,
        local with { EndPoints = [new IPEndPoint(IPAddress.Loopback, 0)] },
        new ListenerOptions { ClientTrust = clients },
        Cancel);

    private async Task<(Association Near, Association Far)> AssociateAsync(
        PostTransport transport, Listener listener, Local local, PeerTrust trust)
    {
        Task<Association?> accepting = listener.AcceptAsync(Cancel).AsTask();
        Association near = await AssociateOneSidedAsync(transport, listener, local, trust);
        return (near, (await accepting)!);
    }

    private async Task<Association> AssociateOneSidedAsync(PostTransport transport, Listener listener, Local local, PeerTrust trust)
    {
        var address = (IPEndPoint)listener.LocalEndPoints[0];
        return await Association.AssociateAsync(
            transport,
            local,
            new Remote { Host = address.Address.ToString(), Port = address.Port, Trust = trust },
            cancellationToken: Cancel);
    }
}
