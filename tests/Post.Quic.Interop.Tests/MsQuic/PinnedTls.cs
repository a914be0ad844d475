using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Post.Sockets;

namespace Post.Quic.Interop.Tests.MsQuic;

/// <summary>TLS with a certificate that signed itself and is known by its key.</summary>
internal static class PinnedTls
{
    public static readonly SslApplicationProtocol Protocol = new("interop");

    public static SslServerAuthenticationOptions Server(X509Certificate2 identity) => new()
    {
        ApplicationProtocols = [Protocol],
        ServerCertificate = identity,
    };

    public static SslClientAuthenticationOptions Client(X509Certificate2 identity) => new()
    {
        ApplicationProtocols = [Protocol],
        TargetHost = "localhost",
        RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate is X509Certificate2 shown && KeyFingerprint.Of(shown) == KeyFingerprint.Of(identity),
    };
}
