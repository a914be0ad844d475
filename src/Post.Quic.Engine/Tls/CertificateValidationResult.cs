using System.Net.Security;

namespace Post.Quic.Engine.Tls;

/// <summary>The verdict over a peer's certificate: acceptance, or the alert that says why not.</summary>
internal readonly record struct CertificateValidationResult
{
    private CertificateValidationResult(bool accepted, byte alert, string reason, SslPolicyErrors errors)
    {
        Accepted = accepted;
        Alert = alert;
        Reason = reason;
        PolicyErrors = errors;
    }

    public bool Accepted { get; }

    /// <summary>The TLS alert for the peer (RFC 8446 section 6.2) when not accepted.</summary>
    public byte Alert { get; }

    public string Reason { get; }

    public SslPolicyErrors PolicyErrors { get; }

    public static CertificateValidationResult Accept(SslPolicyErrors overridden = SslPolicyErrors.None) =>
        new(true, 0, string.Empty, overridden);

    public static CertificateValidationResult Refuse(
        TlsAlert alert, string reason, SslPolicyErrors errors = SslPolicyErrors.RemoteCertificateChainErrors) =>
        new(false, (byte)alert, reason, errors);
}
