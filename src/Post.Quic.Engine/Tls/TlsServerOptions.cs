using System.Net.Security;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Tls.Tickets;

namespace Post.Quic.Engine.Tls;

/// <summary>What a server offers to a client.</summary>
internal sealed class TlsServerOptions
{
    /// <summary>In order of preference; at least one (RFC 9001 section 8.1).</summary>
    public required IReadOnlyList<SslApplicationProtocol> ApplicationProtocols { get; init; }

    /// <summary>The certificate for a name; the name is empty where the client gives none. None: the name is unknown. Null: there are no certificates.</summary>
    public required Func<string, Credential?>? SelectCredential { get; init; }

    /// <summary>Our key without a certificate, for clients that take one; null: none.</summary>
    public RawKeyCredential? RawKey { get; init; }

    /// <summary>What we can show.</summary>
    public IReadOnlyList<CertificateType> OwnTypes => (RawKey, SelectCredential) switch
    {
        (null, _) => CertificateTypes.Default,
        (_, null) => [CertificateType.RawPublicKey],
        _ => [CertificateType.RawPublicKey, CertificateType.X509],
    };

    /// <summary>In order of preference.</summary>
    public IReadOnlyList<CipherSuite> CipherSuites { get; init; } = TlsDefaults.CipherSuites;

    /// <summary>In order of preference.</summary>
    public IReadOnlyList<NamedGroup> Groups { get; init; } = TlsDefaults.Groups;

    public ClientCertificateMode ClientCertificateMode { get; init; }

    /// <summary>The rules a client's certificate is judged by.</summary>
    public CertificatePolicy CertificatePolicy { get; init; } = CertificatePolicy.ForClients();

    /// <summary>Seals session tickets; without it there are none.</summary>
    public TicketKeyRing? TicketKeys { get; init; }

    /// <summary>Tickets for each client: one for the next connection, one for another beside it.</summary>
    public int TicketCount { get; init; } = 2;

    public bool EnableEarlyData { get; init; }

    /// <summary>
    /// What early data relies on (the limits the client remembers): early data is only accepted under a ticket that
    /// was given with the same bytes (RFC 9000 section 7.4.1 forbids lower limits).
    /// </summary>
    public ReadOnlyMemory<byte> EarlyDataContext { get; init; }

    /// <summary>Lets each early-data hello pass once; without it no early data is accepted.</summary>
    public IAntiReplay? AntiReplay { get; init; }

    /// <summary>
    /// How far the age a client states for its ticket may be from ours before its early data is taken for a replay
    /// (RFC 8446 section 8.3).
    /// </summary>
    public TimeSpan EarlyDataWindow { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Sent with a HelloRetryRequest and expected back. Empty: none, since QUIC has Retry and the server keeps its state.
    /// </summary>
    public ReadOnlyMemory<byte> RetryCookie { get; init; }

    /// <summary>Takes lines in the format of SSLKEYLOGFILE. Whoever reads them can decrypt the connection.</summary>
    public Action<string>? KeyLog { get; init; }

    /// <summary>Makes the keys; suites and groups that it lacks are left out.</summary>
    public CryptoProvider Crypto { get; init; } = CryptoProviderFactory.Default;

    /// <summary>What we show where that type was chosen; null: the name is unknown. It runs the user's code.</summary>
    public Credential? CredentialOf(CertificateType type, string name) =>
        type == CertificateType.RawPublicKey ? RawKey : SelectCredential?.Invoke(name);

    /// <summary>Makes the options of .NET's.</summary>
    /// <exception cref="ArgumentException">Something is asked for that QUIC cannot honour; the message says what to set.</exception>
    public static TlsServerOptions From(
        SslServerAuthenticationOptions ssl,
        ClientCertificateMode? clientCertificateMode = null,
        IReadOnlyList<ReadOnlyMemory<byte>>? pinnedPublicKeys = null,
        IReadOnlyList<QuicKeyExchangeGroup>? groups = null,
        TicketKeyRing? ticketKeys = null,
        bool enableEarlyData = false,
        ReadOnlyMemory<byte> earlyDataContext = default,
        IAntiReplay? antiReplay = null,
        Action<string>? keyLog = null,
        CryptoProvider? crypto = null,
        RawKeyRules? keys = null)
    {
        SslOptionsRules.Check(ssl.EnabledSslProtocols, ssl.EncryptionPolicy, ssl.AllowRsaPssPadding, nameof(ssl));
        if (ssl.AllowRenegotiation)
        {
            throw new ArgumentException("TLS 1.3 has no renegotiation; leave AllowRenegotiation false, its default.", nameof(ssl));
        }

        return new TlsServerOptions
        {
            ApplicationProtocols = SslOptionsRules.CheckProtocols(ssl.ApplicationProtocols, nameof(ssl)),
            CipherSuites = SslOptionsRules.Suites(ssl.CipherSuitesPolicy, crypto ?? CryptoProviderFactory.Default, nameof(ssl)),
            Groups = SslOptionsRules.Groups(groups, crypto ?? CryptoProviderFactory.Default, nameof(groups)),
            SelectCredential = CreateSelector(ssl, keys?.Own is not null),
            RawKey = keys?.Own,
            ClientCertificateMode = clientCertificateMode ??
                (ssl.ClientCertificateRequired ? ClientCertificateMode.Required : ClientCertificateMode.None),
            CertificatePolicy = CertificatePolicy.ForClients(
                ssl.CertificateChainPolicy?.Clone(),
                ssl.CertificateRevocationCheckMode,
                ssl.RemoteCertificateValidationCallback,
                pinnedPublicKeys,
                keys),
            TicketKeys = ssl.AllowTlsResume ? ticketKeys : null,
            EnableEarlyData = enableEarlyData,
            EarlyDataContext = earlyDataContext,
            AntiReplay = antiReplay,
            KeyLog = keyLog,
            Crypto = crypto ?? CryptoProviderFactory.Default,
        };
    }

    private static Func<string, Credential?>? CreateSelector(SslServerAuthenticationOptions ssl, bool hasRawKey)
    {
        if (ssl.ServerCertificateSelectionCallback is { } callback)
        {
            return name => callback(ssl, name) is { } chosen
                ? SslOptionsRules.CredentialOf(SslOptionsRules.Upgrade(chosen, nameof(ssl)))
                : null;
        }

        if (hasRawKey && ssl is { ServerCertificateContext: null, ServerCertificate: null })
        {
            return null;
        }

        CertificateCredential credential = ssl switch
        {
            { ServerCertificateContext: { } context } => SslOptionsRules.CredentialOf(context),
            { ServerCertificate: { } certificate } =>
                SslOptionsRules.CredentialOf(SslOptionsRules.Upgrade(certificate, nameof(ssl))),
            _ => throw new ArgumentException(
                "A server needs a certificate or a key; set ServerCertificateContext, ServerCertificate or ServerCertificateSelectionCallback, or a PrivateKey.",
                nameof(ssl)),
        };
        return _ => credential;
    }
}
