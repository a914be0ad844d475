using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Security;

/// <summary>What both engines ask of TLS, in .NET's words.</summary>
internal static class TlsOptions
{
    private static readonly ConditionalWeakTable<X509Certificate2, SslStreamCertificateContext> Contexts = [];

    /// <summary>
    /// How long one request of the platform may take where it makes any; a handshake has more time than that.
    /// </summary>
    private static readonly TimeSpan LongestRetrieval = TimeSpan.FromSeconds(3);

    /// <summary>The name that the server's certificate must bear.</summary>
    public static string NameOf(TransportConnectRequest request) => request.Remote.Trust.Name ?? request.Remote.Host;

    /// <summary>The pinned keys in the form of the managed engine, which judges by them alone; empty where something else is the proof.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> PinsOf(PeerTrust? trust) =>
        trust is { Proof: PeerProof.PinnedKey } ? [.. trust.PinnedKeys.Select(static key => (ReadOnlyMemory<byte>)key.Bytes.ToArray())] : [];

    public static SslClientAuthenticationOptions ForClient(TransportConnectRequest request, PeerVerifier verifier)
    {
        var options = new SslClientAuthenticationOptions
        {
            ApplicationProtocols = [new SslApplicationProtocol(request.Protocol)],
            TargetHost = NameOf(request),
            CertificateChainPolicy = PolicyFor(request.Remote.Trust, ofClients: false),
            RemoteCertificateValidationCallback = verifier.Verify,
        };
        if (request.Local.Certificate is not null)
        {
            options.ClientCertificateContext = ContextOf(request.Local);
        }

        return options;
    }

    /// <param name="request">Who we are, and what clients must prove.</param>
    /// <param name="verifier">Judges them.</param>
    /// <param name="identity">What is shown to clients; null: no certificate, but a bare key.</param>
    public static SslServerAuthenticationOptions ForServer(
        TransportListenRequest request, PeerVerifier verifier, SslStreamCertificateContext? identity) => new()
        {
            ApplicationProtocols = [new SslApplicationProtocol(request.Protocol)],
            ServerCertificateContext = identity,
            ClientCertificateRequired = request.ClientTrust is not null,
            CertificateChainPolicy = PolicyFor(request.ClientTrust, ofClients: true),
            RemoteCertificateValidationCallback = verifier.Verify,
        };

    /// <exception cref="ArgumentException">The Local has no identity to prove.</exception>
    public static SslStreamCertificateContext IdentityOf(Local local) =>
        local.Certificate is { HasPrivateKey: true }
            ? ContextOf(local)
            : throw new ArgumentException(
                "A listener proves its identity: give the Local a certificate with its private key (Identity.CreateSelfSigned makes one), or, with the managed engine, a BareKey.",
                nameof(local));

    /// <summary>Made once for each certificate: it is asked for with every connection, and may be another one by then.</summary>
    private static SslStreamCertificateContext ContextOf(Local local)
    {
        X509Certificate2Collection? intermediates = local.IntermediateCertificates;
        X509Certificate2 certificate = local.Renewable?.Read(out intermediates) ?? local.Certificate!;
        return Contexts.GetValue(certificate, one => SslStreamCertificateContext.Create(one, intermediates, offline: true));
    }

    /// <summary>
    /// How chains are built. Nothing is fetched from an address that stands in a certificate: a peer could otherwise choose where
    /// this machine connects to, and make the handshake wait for it (dotnet/runtime issue 80238). Windows is the exception, for servers that
    /// an authority must vouch for: the same switch keeps it from fetching roots that it trusts and has not needed so far. A new one each
    /// time, since System.Net.Quic puts what peers send into it.
    /// </summary>
    private static X509ChainPolicy PolicyFor(PeerTrust? trust, bool ofClients) => new()
    {
        RevocationMode = X509RevocationMode.NoCheck,
        RevocationFlag = X509RevocationFlag.ExcludeRoot,
        DisableCertificateDownloads = ofClients || trust?.Proof != PeerProof.CertificateAuthority || !OperatingSystem.IsWindows(),
        UrlRetrievalTimeout = LongestRetrieval,
    };
}
