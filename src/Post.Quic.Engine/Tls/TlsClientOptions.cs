using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls;

/// <summary>What a client wants of a session.</summary>
internal sealed class TlsClientOptions
{
    /// <summary>The name or IP address the server's certificate must bear; names are sent as SNI.</summary>
    public required string TargetHost { get; init; }

    /// <summary>In order of preference; at least one (RFC 9001 section 8.1).</summary>
    public required IReadOnlyList<SslApplicationProtocol> ApplicationProtocols { get; init; }

    /// <summary>In order of preference.</summary>
    public IReadOnlyList<CipherSuite> CipherSuites { get; init; } = TlsDefaults.CipherSuites;

    /// <summary>In order of preference.</summary>
    public IReadOnlyList<NamedGroup> Groups { get; init; } = TlsDefaults.Groups;

    /// <summary>How many shares are sent at most: of the first group, and of the next that costs little.</summary>
    public int KeyShares { get; init; } = 2;

    /// <summary>The rules the server's certificate is judged by.</summary>
    public CertificatePolicy CertificatePolicy { get; init; } = CertificatePolicy.ForServers();

    /// <summary>Answers a server that asks for a certificate; may give none.</summary>
    public Func<IReadOnlyList<byte[]>, Credential?>? SelectCredential { get; init; }

    /// <summary>Our key without a certificate; null: none.</summary>
    public RawKeyCredential? RawKey { get; init; }

    /// <summary>What we can show, in order of preference: a bare key is the shorter.</summary>
    public IReadOnlyList<CertificateType> OwnTypes => (RawKey, SelectCredential) switch
    {
        (null, _) => CertificateTypes.Default,
        (_, null) => [CertificateType.RawPublicKey],
        _ => [CertificateType.RawPublicKey, CertificateType.X509],
    };

    /// <summary>Take and use session tickets.</summary>
    public bool AllowResumption { get; init; } = true;

    /// <summary>A session to resume.</summary>
    public TlsSessionTicket? SessionTicket { get; init; }

    /// <summary>Send early data when the ticket allows it. Early data can be replayed by an attacker.</summary>
    public bool EnableEarlyData { get; init; }

    /// <summary>Takes lines in the format of SSLKEYLOGFILE. Whoever reads them can decrypt the connection.</summary>
    public Action<string>? KeyLog { get; init; }

    /// <summary>Makes the keys; suites and groups that it lacks are left out.</summary>
    public CryptoProvider Crypto { get; init; } = CryptoProviderFactory.Default;

    /// <summary>The name for SNI: RFC 6066 section 3 has no IP addresses there.</summary>
    public string ServerName => IPAddress.TryParse(TargetHost, out _) ? string.Empty : TargetHost;

    /// <summary>What we show where that type was chosen; null: nothing. It runs the user's code.</summary>
    public Credential? CredentialOf(CertificateType type, IReadOnlyList<byte[]> authorities) =>
        type == CertificateType.RawPublicKey ? RawKey : SelectCredential?.Invoke(authorities);

    /// <summary>Makes the options of .NET's.</summary>
    /// <exception cref="ArgumentException">Something is asked for that QUIC cannot honour; the message says what to set.</exception>
    public static TlsClientOptions From(
        SslClientAuthenticationOptions ssl,
        IReadOnlyList<ReadOnlyMemory<byte>>? pinnedPublicKeys = null,
        IReadOnlyList<QuicKeyExchangeGroup>? groups = null,
        TlsSessionTicket? sessionTicket = null,
        bool enableEarlyData = false,
        Action<string>? keyLog = null,
        string? targetHost = null,
        CryptoProvider? crypto = null,
        RawKeyRules? keys = null)
    {
        SslOptionsRules.Check(ssl.EnabledSslProtocols, ssl.EncryptionPolicy, ssl.AllowRsaPssPadding, nameof(ssl));
        return new TlsClientOptions
        {
            TargetHost = NormalizeHost(ssl.TargetHost ?? targetHost ?? string.Empty),
            ApplicationProtocols = SslOptionsRules.CheckProtocols(ssl.ApplicationProtocols, nameof(ssl)),
            CipherSuites = SslOptionsRules.Suites(ssl.CipherSuitesPolicy, crypto ?? CryptoProviderFactory.Default, nameof(ssl)),
            Groups = SslOptionsRules.Groups(groups, crypto ?? CryptoProviderFactory.Default, nameof(groups)),
            CertificatePolicy = CertificatePolicy.ForServers(
                ssl.CertificateChainPolicy?.Clone(),
                ssl.CertificateRevocationCheckMode,
                ssl.RemoteCertificateValidationCallback,
                pinnedPublicKeys,
                keys),
            SelectCredential = CreateSelector(ssl),
            RawKey = keys?.Own,
            AllowResumption = ssl.AllowTlsResume,
            SessionTicket = ssl.AllowTlsResume ? sessionTicket : null,
            EnableEarlyData = enableEarlyData,
            KeyLog = keyLog,
            Crypto = crypto ?? CryptoProviderFactory.Default,
        };
    }

    // The name goes to the wire as ASCII (RFC 6066 section 3), without the dot that marks it as complete.
    private static string NormalizeHost(string host)
    {
        string trimmed = host.EndsWith('.') ? host[..^1] : host;
        if (trimmed.Length == 0 || IPAddress.TryParse(trimmed, out _))
        {
            return trimmed;
        }

        string ascii;
        try
        {
            ascii = new IdnMapping().GetAscii(trimmed);
        }
        catch (ArgumentException error)
        {
            throw NoHostName(error);
        }

        return Uri.CheckHostName(ascii) == UriHostNameType.Dns && ascii.Length <= 255 ? ascii : throw NoHostName(null);
    }

    private static ArgumentException NoHostName(Exception? cause) => new(
        "TargetHost is neither a host name nor an IP address; set the name that the server's certificate bears.", cause);

    private static Func<IReadOnlyList<byte[]>, Credential?>? CreateSelector(SslClientAuthenticationOptions ssl)
    {
        if (ssl.ClientCertificateContext is { } context)
        {
            var fixedCredential = SslOptionsRules.CredentialOf(context);
            return _ => fixedCredential;
        }

        X509CertificateCollection own = ssl.ClientCertificates ?? [];
        if (ssl.LocalCertificateSelectionCallback is { } callback)
        {
            string host = ssl.TargetHost ?? string.Empty;
            return authorities =>
            {
                string[] issuers = [.. authorities.Select(static name => new X500DistinguishedName(name).Name)];
                return callback(ssl, host, own, null, issuers) is { } chosen
                    ? SslOptionsRules.CredentialOf(SslOptionsRules.Upgrade(chosen, nameof(ssl)))
                    : null;
            };
        }

        foreach (X509Certificate candidate in own)
        {
            if (candidate is X509Certificate2 { HasPrivateKey: true } certificate)
            {
                var credential = SslOptionsRules.CredentialOf(certificate);
                return _ => credential;
            }
        }

        return null;
    }
}
