using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>The rules a peer's certificate is judged by.</summary>
internal sealed class CertificatePolicy
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly string _usage;

    private CertificatePolicy(string usage) => _usage = usage;

    /// <summary>How chains are built: trust, revocation, flags. Null: the platform's trust and <see cref="RevocationMode"/>.</summary>
    public X509ChainPolicy? ChainPolicy { get; private init; }

    /// <summary>Used when there is no <see cref="ChainPolicy"/>.</summary>
    public X509RevocationMode RevocationMode { get; private init; }

    /// <summary>Has the last word where there are no pins; sees what the platform found.</summary>
    public RemoteCertificateValidationCallback? Callback { get; private init; }

    /// <summary>
    /// SHA-256 hashes of subject public keys. When there are any they stand in the place of trusted authorities and of
    /// the name: the key is the identity. Validity in time and usage are still checked.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> PinnedPublicKeys { get; private init; } = [];

    /// <summary>The names (DER) of the authorities that a server trusts: a hint for clients with several certificates.</summary>
    public IReadOnlyList<byte[]> TrustedNames { get; private init; } = [];

    /// <summary>Rules a client judges a server by.</summary>
    /// <exception cref="ArgumentException">A pin is not the length of a SHA-256 hash.</exception>
    public static CertificatePolicy ForServers(
        X509ChainPolicy? chainPolicy = null,
        X509RevocationMode revocationMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback? callback = null,
        IReadOnlyList<ReadOnlyMemory<byte>>? pinnedPublicKeys = null) =>
        Create(ServerAuthentication, chainPolicy, revocationMode, callback, pinnedPublicKeys);

    /// <summary>Rules a server judges a client by.</summary>
    /// <exception cref="ArgumentException">A pin is not the length of a SHA-256 hash.</exception>
    public static CertificatePolicy ForClients(
        X509ChainPolicy? chainPolicy = null,
        X509RevocationMode revocationMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback? callback = null,
        IReadOnlyList<ReadOnlyMemory<byte>>? pinnedPublicKeys = null) =>
        Create(ClientAuthentication, chainPolicy, revocationMode, callback, pinnedPublicKeys);

    /// <summary>The hash that pins a certificate's public key: SHA-256 over its SubjectPublicKeyInfo.</summary>
    public static byte[] PublicKeyHash(X509Certificate2 certificate) =>
        SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    public CertificateValidationResult Judge(CertificateValidationRequest request)
    {
        try
        {
            return PinnedPublicKeys.Count != 0 ? JudgeByPin(request) : JudgeByChain(request);
        }
        catch (CryptographicException)
        {
            return CertificateValidationResult.Refuse(TlsAlert.BadCertificate, "The certificate cannot be processed.");
        }
    }

    /// <summary>
    /// What these rules come down to for a name, as a hash: a session may only be resumed under the rules that its
    /// certificate was judged by.
    /// </summary>
    public byte[] Fingerprint(string host)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string summary =
            $"{_usage}|{host.ToLowerInvariant()}|{Callback is not null}|{ChainPolicy?.RevocationMode ?? RevocationMode}|" +
            $"{ChainPolicy?.RevocationFlag}|{ChainPolicy?.VerificationFlags}|{ChainPolicy?.TrustMode}|" +
            $"{NamesOf(ChainPolicy?.ApplicationPolicy)}|{NamesOf(ChainPolicy?.CertificatePolicy)}|{PinnedPublicKeys.Count}|";
        hash.AppendData(System.Text.Encoding.UTF8.GetBytes(summary));
        foreach (ReadOnlyMemory<byte> pin in PinnedPublicKeys)
        {
            hash.AppendData(pin.Span);
        }

        if (ChainPolicy is { TrustMode: X509ChainTrustMode.CustomRootTrust } policy)
        {
            foreach (X509Certificate2 root in policy.CustomTrustStore)
            {
                hash.AppendData(SHA256.HashData(root.RawDataMemory.Span));
            }
        }

        return hash.GetHashAndReset();
    }

    private static string NamesOf(OidCollection? policies) =>
        policies is null ? string.Empty : string.Join(',', policies.Cast<Oid>().Select(static policy => policy.Value));

    // A long list would not fit the extension and tells the client nothing.
    private static byte[][] NamesOf(X509ChainPolicy? policy) =>
        policy is { TrustMode: X509ChainTrustMode.CustomRootTrust, CustomTrustStore.Count: <= 16 }
            ? [.. policy.CustomTrustStore.Select(static root => root.SubjectName.RawData)]
            : [];

    private static CertificatePolicy Create(
        string usage,
        X509ChainPolicy? chainPolicy,
        X509RevocationMode revocationMode,
        RemoteCertificateValidationCallback? callback,
        IReadOnlyList<ReadOnlyMemory<byte>>? pinnedPublicKeys)
    {
        foreach (ReadOnlyMemory<byte> pin in pinnedPublicKeys ?? [])
        {
            if (pin.Length != SHA256.HashSizeInBytes)
            {
                throw new ArgumentException(
                    "A pinned public key is the 32-byte SHA-256 hash of a SubjectPublicKeyInfo.", nameof(pinnedPublicKeys));
            }
        }

        return new CertificatePolicy(usage)
        {
            ChainPolicy = chainPolicy,
            RevocationMode = revocationMode,
            Callback = callback,
            PinnedPublicKeys = pinnedPublicKeys ?? [],
            TrustedNames = usage == ClientAuthentication ? NamesOf(chainPolicy) : [],
        };
    }

    private CertificateValidationResult JudgeByPin(CertificateValidationRequest request)
    {
        byte[] actual = PublicKeyHash(request.Certificate);
        bool matches = false;
        foreach (ReadOnlyMemory<byte> pin in PinnedPublicKeys)
        {
            matches |= CryptographicOperations.FixedTimeEquals(pin.Span, actual);
        }

        if (!matches)
        {
            return CertificateValidationResult.Refuse(TlsAlert.CertificateUnknown, "The public key is none of the pinned ones.");
        }

        DateTime time = request.Time.LocalDateTime;
        if (time < request.Certificate.NotBefore || time > request.Certificate.NotAfter)
        {
            return CertificateValidationResult.Refuse(TlsAlert.CertificateExpired, "The certificate is not valid now.");
        }

        return HasUsage(request.Certificate)
            ? CertificateValidationResult.Accept()
            : CertificateValidationResult.Refuse(TlsAlert.UnsupportedCertificate, "The certificate is for another usage.");
    }

    private bool HasUsage(X509Certificate2 certificate)
    {
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension is X509EnhancedKeyUsageExtension usages)
            {
                foreach (Oid usage in usages.EnhancedKeyUsages)
                {
                    if (usage.Value == _usage)
                    {
                        return true;
                    }
                }

                return false;
            }
        }

        return true;
    }

    private CertificateValidationResult JudgeByChain(CertificateValidationRequest request)
    {
        using var chain = new X509Chain { ChainPolicy = CreateChainPolicy(request) };
        SslPolicyErrors errors = SslPolicyErrors.None;
        X509ChainStatusFlags flags = X509ChainStatusFlags.NoError;
        if (!chain.Build(request.Certificate))
        {
            errors |= SslPolicyErrors.RemoteCertificateChainErrors;
            foreach (X509ChainStatus status in chain.ChainStatus)
            {
                flags |= status.Status;
            }
        }

        // RFC 6125: the name stands in subjectAltName; a common name is no identity any more.
        if (_usage == ServerAuthentication &&
            (request.ExpectedHost.Length == 0 ||
                !request.Certificate.MatchesHostname(request.ExpectedHost, allowWildcards: true, allowCommonName: false)))
        {
            errors |= SslPolicyErrors.RemoteCertificateNameMismatch;
        }

        CertificateValidationResult? answer = Callback is null ? null : Ask(Callback, request, chain, errors);
        foreach (X509ChainElement element in chain.ChainElements)
        {
            element.Certificate.Dispose();
        }

        return answer ?? (errors == SslPolicyErrors.None ? CertificateValidationResult.Accept() : Refuse(errors, flags));
    }

    /// <summary>The user's verdict; nothing when the user only agrees with the platform that it is no good.</summary>
    private static CertificateValidationResult? Ask(
        RemoteCertificateValidationCallback callback, CertificateValidationRequest request, X509Chain chain, SslPolicyErrors errors)
    {
        bool accepted;
        try
        {
            accepted = callback(request, request.Certificate, chain, errors);
        }
        catch (Exception)
        {
            // The callback is the user's code; what it throws must not leave the core.
            return CertificateValidationResult.Refuse(TlsAlert.InternalError, "The validation callback failed.", errors);
        }

        if (accepted)
        {
            return CertificateValidationResult.Accept(errors);
        }

        return errors == SslPolicyErrors.None
            ? CertificateValidationResult.Refuse(TlsAlert.CertificateUnknown, "The application refused the certificate.", errors)
            : null;
    }

    private X509ChainPolicy CreateChainPolicy(CertificateValidationRequest request)
    {
        X509ChainPolicy policy = ChainPolicy?.Clone() ?? new X509ChainPolicy
        {
            RevocationMode = RevocationMode,
            RevocationFlag = X509RevocationFlag.ExcludeRoot,

            // A server must not fetch what a client's certificate points at: that would let any client choose where
            // the server connects to.
            DisableCertificateDownloads = _usage == ClientAuthentication,
        };
        if (policy.VerificationTimeIgnored)
        {
            policy.VerificationTime = request.Time.LocalDateTime;
        }

        if (policy.ApplicationPolicy.Count == 0)
        {
            policy.ApplicationPolicy.Add(new Oid(_usage));
        }

        policy.ExtraStore.AddRange(request.Chain);
        return policy;
    }

    private static CertificateValidationResult Refuse(SslPolicyErrors errors, X509ChainStatusFlags flags)
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
        return CertificateValidationResult.Refuse(alert, reason, errors);
    }
}
