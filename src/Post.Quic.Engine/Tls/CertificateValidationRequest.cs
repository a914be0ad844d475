using System.Security.Cryptography.X509Certificates;

namespace Post.Quic.Engine.Tls;

/// <summary>A peer's certificate chain and the rules to judge it by: all that is needed to answer on any thread.</summary>
internal sealed class CertificateValidationRequest
{
    private readonly Func<CertificateValidationRequest, CertificateValidationResult> _judge;

    public CertificateValidationRequest(
        X509Certificate2 certificate,
        X509Certificate2Collection chain,
        string expectedHost,
        DateTimeOffset time,
        Func<CertificateValidationRequest, CertificateValidationResult> judge)
    {
        Certificate = certificate;
        Chain = chain;
        ExpectedHost = expectedHost;
        Time = time;
        _judge = judge;
    }

    /// <summary>The peer's own certificate, whose key it has proven to hold.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>What else the peer sent, to build a chain with; not to be trusted.</summary>
    public X509Certificate2Collection Chain { get; }

    /// <summary>The name the certificate must bear; empty where a client is judged.</summary>
    public string ExpectedHost { get; }

    /// <summary>The moment the certificates must be valid at.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>Judges. It may run the user's callback and, when revocation is checked online, wait for the network.</summary>
    public CertificateValidationResult Validate() => _judge(this);
}
