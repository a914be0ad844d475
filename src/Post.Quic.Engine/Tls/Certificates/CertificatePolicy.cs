using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Tls.Alerts;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>The rules a peer's certificate is judged by.</summary>
internal sealed class CertificatePolicy
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const int MaxNamesTold = 4;
    private const int MaxNameTold = 64;

    /// <summary>
    /// How long one request for a revocation list, or for a certificate, may take where it was asked for: less than a handshake may.
    /// </summary>
    private static readonly TimeSpan LongestRetrieval = TimeSpan.FromSeconds(3);

    private readonly string _usage;

    private CertificatePolicy(string usage) => _usage = usage;

    /// <summary>How chains are built: trust, revocation, flags. Null: the platform's trust and <see cref="RevocationMode"/>.</summary>
    public X509ChainPolicy? ChainPolicy { get; private init; }

    /// <summary>Used when there is no <see cref="ChainPolicy"/>.</summary>
    public X509RevocationMode RevocationMode { get; private init; }

    /// <summary>Has the last word where there are no pins; sees what the platform found.</summary>
    public RemoteCertificateValidationCallback? Callback { get; private init; }

    /// <summary>
    /// SHA-256 hashes of subject public keys. When there are any, the key alone is the identity, as with DANE-EE (RFC 7671
    /// section 5.1): no authority, name, date or usage counts, no chain is built, and the callback is not asked.
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

        if (pinnedPublicKeys is { Count: > 0 } && callback is not null)
        {
            throw new ArgumentException(
                "A validation callback would never be asked beside PinnedPublicKeys, which decide alone; give one of the two.", nameof(callback));
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

        return matches
            ? CertificateValidationResult.Accept()
            : CertificateValidationResult.Refuse(
                TlsAlert.CertificateUnknown,
                "The public key is none of the pinned ones.",
                detail: $"The peer's key is {Name(actual)}; expected was {string.Join(" or ", PinnedPublicKeys.Select(static pin => Name(pin.Span)))}. "
                    + "Correct the pin if the peer's key was changed on purpose; if not, somebody else answers there.");
    }

    private static string Name(ReadOnlySpan<byte> hash) => "sha256:" + Convert.ToHexStringLower(hash);

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

        return answer ?? (errors == SslPolicyErrors.None ? CertificateValidationResult.Accept() : Refuse(errors, flags, request));
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
                $"The validation callback of this side did not accept it. The peer's key is {Name(PublicKeyHash(request.Certificate))}.")
            : null;
    }

    private X509ChainPolicy CreateChainPolicy(CertificateValidationRequest request)
    {
        X509ChainPolicy policy = ChainPolicy?.Clone() ?? new X509ChainPolicy
        {
            RevocationMode = RevocationMode,
            RevocationFlag = X509RevocationFlag.ExcludeRoot,

            // Whoever answers could otherwise choose where this machine connects to, and make the handshake wait for it
            // (dotnet/runtime issue 80238). Windows is the exception, for servers that an authority must vouch for: the same
            // switch keeps it from fetching roots that it trusts and has not needed so far.
            DisableCertificateDownloads = _usage == ClientAuthentication || !OperatingSystem.IsWindows(),
            UrlRetrievalTimeout = LongestRetrieval,
        };
        if (policy.VerificationTimeIgnored)
        {
            policy.VerificationTime = request.Time.LocalDateTime;
        }

        if (policy.ApplicationPolicy.Count == 0)
        {
            policy.ApplicationPolicy.Add(new Oid(_usage));
        }

        // Whoever is judged by the application is nobody's acquaintance before that.
        policy.DisableCertificateDownloads |= Callback is not null;
        policy.ExtraStore.AddRange(request.Chain);
        return policy;
    }

    private static CertificateValidationResult Refuse(
        SslPolicyErrors errors, X509ChainStatusFlags flags, CertificateValidationRequest request)
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
                $" Expected was '{request.ExpectedHost}'; the certificate names {NamesIn(request.Certificate)}.",
            TlsAlert.CertificateExpired => string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $" The peer's own is valid from {request.Certificate.NotBefore.ToUniversalTime():u} to {request.Certificate.NotAfter.ToUniversalTime():u}."),
            _ => string.Empty,
        };
        return CertificateValidationResult.Refuse(
            alert, reason, errors, $"{reason}{remedy} The peer's key is {Name(PublicKeyHash(request.Certificate))}.");
    }

    // The peer chose the names: a few of them, without what could pass for a line of our own.
    private static string NamesIn(X509Certificate2 certificate)
    {
        string[] names = [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(static extension => extension.EnumerateDnsNames().Concat(extension.EnumerateIPAddresses().Select(static one => one.ToString())))
            .Take(MaxNamesTold)
            .Select(static name => "'" + string.Concat(name.Take(MaxNameTold).Where(static one => !char.IsControl(one) && one != '\'')) + "'")];
        return names.Length > 0 ? string.Join(", ", names) : "nobody in its subjectAltName";
    }
}
