using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>The rules that what a peer shows of itself is judged by: its certificate, or its key where it shows no certificate.</summary>
internal sealed class CertificatePolicy
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private CertificatePolicy(string usage) => Usage = usage;

    /// <summary>The purpose that a certificate must be for: an extended key usage of RFC 5280 section 4.2.1.12.</summary>
    public string Usage { get; }

    /// <summary>Servers are judged, by a client that wants a name.</summary>
    public bool IsOfServers => Usage == ServerAuthentication;

    /// <summary>How chains are built: trust, revocation, flags. Null: the platform's trust and <see cref="RevocationMode"/>.</summary>
    public X509ChainPolicy? ChainPolicy { get; private init; }

    /// <summary>Used when there is no <see cref="ChainPolicy"/>.</summary>
    public X509RevocationMode RevocationMode { get; private init; }

    /// <summary>Has the last word where there are no pins; sees what the platform found.</summary>
    public RemoteCertificateValidationCallback? Callback { get; private init; }

    /// <summary>Has the word over keys without certificates where there are no pins.</summary>
    public Func<RawPublicKey, bool>? KeyCallback { get; private init; }

    /// <summary>What a peer may show, in order of preference.</summary>
    public IReadOnlyList<CertificateType> PeerTypes { get; private init; } = CertificateTypes.Default;

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
        IReadOnlyList<ReadOnlyMemory<byte>>? pinnedPublicKeys = null,
        RawKeyRules? keys = null) =>
        Create(ServerAuthentication, chainPolicy, revocationMode, callback, pinnedPublicKeys, keys);

    /// <summary>Rules a server judges a client by.</summary>
    /// <exception cref="ArgumentException">A pin is not the length of a SHA-256 hash.</exception>
    public static CertificatePolicy ForClients(
        X509ChainPolicy? chainPolicy = null,
        X509RevocationMode revocationMode = X509RevocationMode.NoCheck,
        RemoteCertificateValidationCallback? callback = null,
        IReadOnlyList<ReadOnlyMemory<byte>>? pinnedPublicKeys = null,
        RawKeyRules? keys = null) =>
        Create(ClientAuthentication, chainPolicy, revocationMode, callback, pinnedPublicKeys, keys);

    /// <summary>The hash that pins a certificate's public key: SHA-256 over its SubjectPublicKeyInfo.</summary>
    public static byte[] PublicKeyHash(X509Certificate2 certificate) =>
        SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    public CertificateValidationResult Judge(CertificateValidationRequest request)
    {
        try
        {
            return PinnedPublicKeys.Count != 0 ? JudgeByPin(request) : request.Peer.JudgeBy(this, request);
        }
        catch (CryptographicException)
        {
            return CertificateValidationResult.Refuse(TlsAlert.BadCertificate, "The certificate cannot be processed.");
        }
    }

    /// <summary>How keys are named in messages, as pins are written.</summary>
    public static string Name(ReadOnlySpan<byte> hash) => "sha256:" + Convert.ToHexStringLower(hash);

    /// <summary>The verdict over a key without a certificate, where no pinned key decides.</summary>
    public CertificateValidationResult JudgeKey(PeerRawKey peer)
    {
        bool accepted;
        try
        {
            accepted = KeyCallback is not null && KeyCallback(peer.RawKey);
        }
        catch (Exception exception)
        {
            // The callback is the user's code; what it throws must not leave the core, and is told to whoever connects.
            return CertificateValidationResult.Refuse(
                TlsAlert.InternalError,
                "The validation callback failed.",
                SslPolicyErrors.None,
                $"The public key validation callback of this side threw {exception.GetType().Name}: {exception.Message}",
                exception);
        }

        return accepted
            ? CertificateValidationResult.Accept()
            : CertificateValidationResult.Refuse(
                TlsAlert.CertificateUnknown,
                "The application refused the public key.",
                SslPolicyErrors.None,
                $"The public key validation callback of this side did not accept it. The peer's key is {Name(peer.KeyHash())}.");
    }

    /// <summary>
    /// What these rules come down to for a name, as a hash: a session may only be resumed under the rules that its
    /// certificate was judged by.
    /// </summary>
    public byte[] Fingerprint(string host)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string summary =
            $"{Usage}|{host.ToLowerInvariant()}|{Callback is not null}|{ChainPolicy?.RevocationMode ?? RevocationMode}|" +
            $"{ChainPolicy?.RevocationFlag}|{ChainPolicy?.VerificationFlags}|{ChainPolicy?.TrustMode}|" +
            $"{NamesOf(ChainPolicy?.ApplicationPolicy)}|{NamesOf(ChainPolicy?.CertificatePolicy)}|{PinnedPublicKeys.Count}|" +
            $"{string.Join(',', PeerTypes.Order())}|{KeyCallback is not null}|";
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
        IReadOnlyList<ReadOnlyMemory<byte>>? pinnedPublicKeys,
        RawKeyRules? keys)
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

        keys ??= RawKeyRules.None;
        if (pinnedPublicKeys is { Count: > 0 } && keys.Callback is not null)
        {
            throw new ArgumentException(
                "A validation callback would never be asked beside PinnedPublicKeys, which decide alone; give one of the two.", nameof(keys));
        }

        if (keys.PeerTypes.Contains(CertificateType.RawPublicKey) && pinnedPublicKeys is not { Count: > 0 } && keys.Callback is null)
        {
            throw new ArgumentException(
                "Nothing would judge a raw public key; give PinnedPublicKeys or a RemotePublicKeyValidationCallback.", nameof(keys));
        }

        return new CertificatePolicy(usage)
        {
            KeyCallback = keys.Callback,
            PeerTypes = keys.PeerTypes,
            ChainPolicy = chainPolicy,
            RevocationMode = revocationMode,
            Callback = callback,
            PinnedPublicKeys = pinnedPublicKeys ?? [],
            TrustedNames = usage == ClientAuthentication ? NamesOf(chainPolicy) : [],
        };
    }

    private CertificateValidationResult JudgeByPin(CertificateValidationRequest request)
    {
        byte[] actual = request.Peer.KeyHash();
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
}
