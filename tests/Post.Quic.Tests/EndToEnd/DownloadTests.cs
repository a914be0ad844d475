using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Tests.EndToEnd;

/// <summary>A certificate may name an address where its issuer's is to be had; whoever answers a client chose that address.</summary>
[TestClass]
public sealed class DownloadTests : EndToEndTests
{
    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing(PeerProof.PinnedKey)]
    [EachPairing(PeerProof.Callback)]
    [EachPairing(PeerProof.CertificateAuthority)]
    public async Task A_server_cannot_make_the_client_fetch_anything(TestEngine client, TestEngine server, PeerProof proof)
    {
        using var named = new SilentHost();
        using X509Certificate2 identity = WithIssuerAt(named.Address, "localhost");
        await using PostTransport clients = PostPair.TransportOf(client);
        await using PostTransport servers = PostPair.TransportOf(server);
        await using Listener listener = await Listener.ListenAsync(servers, Local.At(new IPEndPoint(IPAddress.Loopback, 0), identity), cancellationToken: Cancel);
        PeerTrust trust = proof switch
        {
            PeerProof.PinnedKey => PeerTrust.Pinned(KeyFingerprint.Of(identity)),
            PeerProof.Callback => PeerTrust.Callback(static (_, _, _) => true),
            _ => PeerTrust.CertificateAuthority(),
        };

        Task<Association> associating = Association.AssociateAsync(
            clients,
            Local.Anonymous,
            new Remote { Host = "localhost", Addresses = [IPAddress.Loopback], Port = ((IPEndPoint)listener.LocalEndPoints[0]).Port, Trust = trust },
            cancellationToken: Cancel).AsTask();
        if (proof == PeerProof.CertificateAuthority)
        {
            var refused = await Assert.ThrowsExactlyAsync<PostException>(() => associating);
            Assert.AreEqual(TransportErrorReason.AuthenticationFailed, ((TransportException)refused.InnerException!).Reason);
        }
        else
        {
            await using Association association = await associating;
            Assert.AreEqual(KeyFingerprint.Of(identity), association.Peer.Key);
        }

        Assert.AreEqual(0, named.Visitors);
    }

    [TestMethod]
    [Timeout(TimeoutMilliseconds, CooperativeCancellation = true)]
    [EachPairing(true)]
    [EachPairing(false)]
    public async Task A_client_cannot_make_the_server_fetch_anything(TestEngine client, TestEngine server, bool isPinned)
    {
        using var named = new SilentHost();
        using X509Certificate2 shown = WithIssuerAt(named.Address, "client");
        await using PostPair pair = await ConnectAsync(client, server, new PairSetup
        {
            Client = new Local { Certificate = shown },
            ClientTrust = isPinned ? PeerTrust.Pinned(KeyFingerprint.Of(shown)) : PeerTrust.Callback(static (_, _, _) => true),
        });

        Assert.AreEqual(KeyFingerprint.Of(shown), pair.Server.Peer.Key);
        Assert.AreEqual(0, named.Visitors);
    }

    /// <summary>A certificate whose issuer's is to be had at an address, and nowhere else.</summary>
    private static X509Certificate2 WithIssuerAt(Uri address, string name)
    {
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=Unsent authority", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 issuer = authority.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(20));

        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [address.ToString()]));
        using X509Certificate2 bare = request.Create(
            issuer, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(10), RandomNumberGenerator.GetBytes(12));
        return bare.CopyWithPrivateKey(key);
    }

    /// <summary>Takes every connection, and never answers.</summary>
    private sealed class SilentHost : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<Socket> _visitors = [];

        public SilentHost()
        {
            _listener.Start();
            _ = AcceptAsync();
        }

        public Uri Address => new($"http://{_listener.LocalEndpoint}/issuer.crt");

        public int Visitors
        {
            get
            {
                lock (_visitors)
                {
                    return _visitors.Count;
                }
            }
        }

        public void Dispose()
        {
            _listener.Dispose();
            lock (_visitors)
            {
                _visitors.ForEach(visitor => visitor.Dispose());
            }
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    Socket visitor = await _listener.AcceptSocketAsync();
                    lock (_visitors)
                    {
                        _visitors.Add(visitor);
                    }
                }
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
