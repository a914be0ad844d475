using System.Net.Security;
using Post.Sockets.Transport;

namespace Post.Quic.Security;

/// <summary>What both engines ask of TLS, in .NET's words.</summary>
internal static class TlsOptions
{
    /// <summary>The name that the server's certificate must bear.</summary>
    public static string NameOf(TransportConnectRequest request) => request.Remote.Trust.Name ?? request.Remote.Host;

    public static SslClientAuthenticationOptions ForClient(TransportConnectRequest request, PeerVerifier verifier)
    {
        var options = new SslClientAuthenticationOptions
        {
            ApplicationProtocols = [new SslApplicationProtocol(request.Protocol)],
            TargetHost = NameOf(request),
            RemoteCertificateValidationCallback = verifier.Verify,
        };
        if (request.Local.Certificate is { } certificate)
        {
            options.ClientCertificateContext =
                SslStreamCertificateContext.Create(certificate, request.Local.IntermediateCertificates, offline: true);
        }

        return options;
    }

    /// <exception cref="ArgumentException">The Local has no identity to prove.</exception>
    public static SslServerAuthenticationOptions ForServer(TransportListenRequest request, PeerVerifier verifier)
    {
        if (request.Local.Certificate is not { HasPrivateKey: true } certificate)
        {
            throw new ArgumentException(
                "A listener proves its identity: give the Local a certificate with its private key (Identity.CreateSelfSigned makes one).",
                nameof(request));
        }

        return new SslServerAuthenticationOptions
        {
            ApplicationProtocols = [new SslApplicationProtocol(request.Protocol)],
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, request.Local.IntermediateCertificates, offline: true),
            ClientCertificateRequired = request.ClientTrust is not null,
            RemoteCertificateValidationCallback = verifier.Verify,
        };
    }
}
