using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Tls.Alerts;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>Judges a peer's certificate by the chain that leads from it to an authority, and by the application's callback.</summary>
internal static class ChainJudge
{
    private const int MaxNamesTold = 4;
    private const int MaxNameTold = 64;

    /// <summary>
    /// How long one request for a revocation list, or for a certificate, may take where it was asked for: less than a handshake may.
    /// </summary>
    private static readonly TimeSpan LongestRetrieval = TimeSpan.FromSeconds(3);

    /// <summary>The verdict over a certificate, where no pinned key decides.</summary>
    public static CertificateValidationResult Judge(
        CertificatePolicy rules, PeerCertificateChain peer, CertificateValidationRequest request)
    {
        using var chain = new X509Chain { ChainPolicy = CreateChainPolicy(rules, peer, request) };
        SslPolicyErrors errors = SslPolicyErrors.None;
        X509ChainStatusFlags flags = X509ChainStatusFlags.NoError;
        if (!chain.Build(peer.Certificate))
        {
            errors |= SslPolicyErrors.RemoteCertificateChainErrors;
            foreach (X509ChainStatus status in chain.ChainStatus)
            {
                flags |= status.Status;
            }
        }

        // RFC 6125: the name stands in subjectAltName; a common name is no identity any more.
        if (rules.IsOfServers &&
            (request.ExpectedHost.Length == 0 ||
                !peer.Certificate.MatchesHostname(request.ExpectedHost, allowWildcards: true, allowCommonName: false)))
        {
            errors |= SslPolicyErrors.RemoteCertificateNameMismatch;
        }

        CertificateValidationResult? answer = rules.Callback is null ? null : Ask(rules.Callback, peer, request, chain, errors);
        foreach (X509ChainElement element in chain.ChainElements)
        {
            element.Certificate.Dispose();
        }

        return answer ?? (errors == SslPolicyErrors.None ? CertificateValidationResult.Accept() : Refuse(errors, flags, peer, request));
    }

    /// <summary>The user's verdict; nothing when the user only agrees with the platform that it is no good.</summary>
    private static CertificateValidationResult? Ask(
        RemoteCertificateValidationCallback callback,
        PeerCertificateChain peer,
        CertificateValidationRequest request,
        X509Chain chain,
        SslPolicyErrors errors)
    {
        bool accepted;
        try
        {
            accepted = callback(request, peer.Certificate, chain, errors);
        }
        catch (Exception exception)
        {
            // The callback is the user's code; what it throws must not leave the core, and is told to whoever connects.
            return CertificateValidationResult.Refuse(
                TlsAlert.InternalError,
                "The validation callback failed.",
                errors,
                $"The certificate validation callback of this side threw {exception.GetType().Name}: {exception.Message}",
                exception);
        }

        if (accepted)
        {
            return CertificateValidationResult.Accept(errors);
        }

        return errors == SslPolicyErrors.None
            ? CertificateValidationResult.Refuse(
                TlsAlert.CertificateUnknown,
                "The application refused the certificate.",
                errors,
                $"The validation callback of this side did not accept it. The peer's key is {CertificatePolicy.Name(peer.KeyHash())}.")
            : null;
    }

    private static X509ChainPolicy CreateChainPolicy(
        CertificatePolicy rules, PeerCertificateChain peer, CertificateValidationRequest request)
    {
        X509ChainPolicy policy = rules.ChainPolicy?.Clone() ?? new X509ChainPolicy
        {
            RevocationMode = rules.RevocationMode,
            RevocationFlag = X509RevocationFlag.ExcludeRoot,

            // Whoever answers could otherwise choose where this machine connects to, and make the handshake wait for it
            // (dotnet/runtime issue 80238). Windows is the exception, for servers that an authority must vouch for: the same
            // switch keeps it from fetching roots that it trusts and has not needed so far.
            DisableCertificateDownloads = !rules.IsOfServers || !OperatingSystem.IsWindows(),
            UrlRetrievalTimeout = LongestRetrieval,
        };
        if (policy.VerificationTimeIgnored)
        {
            policy.VerificationTime = request.Time.LocalDateTime;
        }

        if (policy.ApplicationPolicy.Count == 0)
        {
            policy.ApplicationPolicy.Add(new Oid(rules.Usage));
        }

        // Whoever is judged by the application is nobody's acquaintance before that.
        policy.DisableCertificateDownloads |= rules.Callback is not null;
        policy.ExtraStore.AddRange(peer.Others);
        return policy;
    }

    private static CertificateValidationResult Refuse(
        SslPolicyErrors errors, X509ChainStatusFlags flags, PeerCertificateChain peer, CertificateValidationRequest request)
    {
        (TlsAlert alert, string reason) = flags switch
        {
            _ when flags.HasFlag(X509ChainStatusFlags.Revoked) =>
                (TlsAlert.CertificateRevoked, "The certificate is revoked."),
            _ when flags.HasFlag(X509ChainStatusFlags.NotSignatureValid) =>
                (TlsAlert.BadCertificate, "A signature in the certificate chain is wrong."),
            _ when (flags & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0 =>
                (TlsAlert.UnknownCa, "The certificate leads to no trusted authority."),
            _ when flags.HasFlag(X509ChainStatusFlags.NotTimeValid) =>
                (TlsAlert.CertificateExpired, "A certificate is not valid now."),
            _ when flags.HasFlag(X509ChainStatusFlags.NotValidForUsage) =>
                (TlsAlert.UnsupportedCertificate, "The certificate is for another usage."),
            _ when flags != X509ChainStatusFlags.NoError =>
                (TlsAlert.CertificateUnknown, "The certificate chain is not valid."),
            _ => (TlsAlert.BadCertificate, "The certificate is for another name."),
        };

        string remedy = alert switch
        {
            TlsAlert.UnknownCa => " Trust its authority, or pin its key; a peer must also send the certificates between its own and the root, "
                + "for they are not downloaded.",
            TlsAlert.BadCertificate when (errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0 && request.ExpectedHost.Length > 0 =>
                $" Expected was '{request.ExpectedHost}'; the certificate names {NamesIn(peer.Certificate)}.",
            TlsAlert.CertificateExpired => string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $" The peer's own is valid from {peer.Certificate.NotBefore.ToUniversalTime():u} to {peer.Certificate.NotAfter.ToUniversalTime():u}."),
            _ => string.Empty,
        };
        return CertificateValidationResult.Refuse(
            alert, reason, errors, $"{reason}{remedy} The peer's key is {CertificatePolicy.Name(peer.KeyHash())}.");
    }

    // The peer chose the names: a few of them, without what could pass for a line of our own.
    private static string NamesIn(X509Certificate2 certificate)
    {
        string[] names = [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(static extension => extension.EnumerateDnsNames().Concat(extension.EnumerateIPAddresses().Select(static one => one.ToString())))
            .Take(MaxNamesTold)
            .Select(static name => "'" + string.Concat(name.Take(MaxNameTold).Where(static one => !char.IsControl(one) && one != '\'')) + "'")];
        return names.Length > 0 ? string.Join(", ", names) : "no name, since it has no subjectAltName";
    }
}
