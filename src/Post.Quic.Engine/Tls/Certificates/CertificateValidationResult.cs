using System.Net.Security;
using Post.Quic.Engine.Tls.Alerts;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>The verdict over a peer's certificate: acceptance, or the alert that says why not.</summary>
internal readonly record struct CertificateValidationResult
{
    private CertificateValidationResult(
        bool accepted, byte alert, string reason, SslPolicyErrors errors, string detail = "", Exception? failure = null)
    {
        Accepted = accepted;
        Alert = alert;
        Reason = reason;
        PolicyErrors = errors;
        Detail = detail;
        Failure = failure;
    }

    public bool Accepted { get; }

    /// <summary>The TLS alert for the peer (RFC 8446 section 6.2) when not accepted.</summary>
    public byte Alert { get; }

    /// <summary>A constant phrase, which the peer is told too.</summary>
    public string Reason { get; }

    /// <summary>For this side only: what was expected, what came, and what to do; empty where <see cref="Reason"/> says all.</summary>
    public string Detail { get; }

    /// <summary>What the application's callback threw, if it did.</summary>
    public Exception? Failure { get; }

    public SslPolicyErrors PolicyErrors { get; }

    public static CertificateValidationResult Accept(SslPolicyErrors overridden = SslPolicyErrors.None) =>
        new(true, 0, string.Empty, overridden);

    public static CertificateValidationResult Refuse(
        TlsAlert alert,
        string reason,
        SslPolicyErrors errors = SslPolicyErrors.RemoteCertificateChainErrors,
        string detail = "",
        Exception? failure = null) =>
        new(false, (byte)alert, reason, errors, detail, failure);
}
