using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>
/// Which extensions may stand in which message: the table of RFC 8446 section 4.2, with what our own ClientHello asks
/// for.
/// </summary>
internal readonly struct ExtensionPlace
{
    private const ulong OfferedByUs =
        1UL << (int)ExtensionType.ServerName |
        1UL << (int)ExtensionType.SupportedGroups |
        1UL << (int)ExtensionType.SignatureAlgorithms |
        1UL << (int)ExtensionType.ApplicationLayerProtocolNegotiation |
        1UL << (int)ExtensionType.ClientCertificateType |
        1UL << (int)ExtensionType.ServerCertificateType |
        1UL << (int)ExtensionType.PreSharedKey |
        1UL << (int)ExtensionType.EarlyData |
        1UL << (int)ExtensionType.SupportedVersions |
        1UL << (int)ExtensionType.PskKeyExchangeModes |
        1UL << (int)ExtensionType.KeyShare |
        1UL << (int)ExtensionType.QuicTransportParameters;

    private const ulong Known =
        OfferedByUs |
        1UL << (int)ExtensionType.MaxFragmentLength |
        1UL << (int)ExtensionType.StatusRequest |
        1UL << (int)ExtensionType.SignedCertificateTimestamp |
        1UL << (int)ExtensionType.Padding |
        1UL << (int)ExtensionType.Cookie |
        1UL << (int)ExtensionType.CertificateAuthorities |
        1UL << (int)ExtensionType.OidFilters |
        1UL << (int)ExtensionType.PostHandshakeAuth |
        1UL << (int)ExtensionType.SignatureAlgorithmsCert;

    private readonly ulong _allowed;
    private readonly bool _isAnswer;

    private ExtensionPlace(ulong allowed, bool isAnswer)
    {
        _allowed = allowed;
        _isAnswer = isAnswer;
    }

    public static ExtensionPlace ClientHello { get; } = new(Known & ~(1UL << (int)ExtensionType.OidFilters), false);

    public static ExtensionPlace ServerHello { get; } = new(
        1UL << (int)ExtensionType.KeyShare |
        1UL << (int)ExtensionType.PreSharedKey |
        1UL << (int)ExtensionType.SupportedVersions,
        true);

    public static ExtensionPlace HelloRetryRequest { get; } = new(
        1UL << (int)ExtensionType.KeyShare |
        1UL << (int)ExtensionType.Cookie |
        1UL << (int)ExtensionType.SupportedVersions,
        true);

    public static ExtensionPlace EncryptedExtensions { get; } = new(
        1UL << (int)ExtensionType.ServerName |
        1UL << (int)ExtensionType.SupportedGroups |
        1UL << (int)ExtensionType.ApplicationLayerProtocolNegotiation |
        1UL << (int)ExtensionType.ClientCertificateType |
        1UL << (int)ExtensionType.ServerCertificateType |
        1UL << (int)ExtensionType.EarlyData |
        1UL << (int)ExtensionType.QuicTransportParameters,
        true);

    public static ExtensionPlace CertificateRequest { get; } = new(
        1UL << (int)ExtensionType.StatusRequest |
        1UL << (int)ExtensionType.SignatureAlgorithms |
        1UL << (int)ExtensionType.SignedCertificateTimestamp |
        1UL << (int)ExtensionType.CertificateAuthorities |
        1UL << (int)ExtensionType.OidFilters |
        1UL << (int)ExtensionType.SignatureAlgorithmsCert,
        false);

    /// <summary>We ask for neither OCSP responses nor timestamps, so nothing may come with a certificate.</summary>
    public static ExtensionPlace Certificate { get; } = new(0, true);

    public static ExtensionPlace NewSessionTicket { get; } = new(1UL << (int)ExtensionType.EarlyData, false);

    public TransportError Check(ExtensionType type)
    {
        ulong bit = (int)type < 64 ? 1UL << (int)type : 0;
        if ((_allowed & bit) != 0)
        {
            return default;
        }

        // RFC 8446 section 4.2: an extension response that was not asked for is unsupported_extension.
        if (_isAnswer && (OfferedByUs & bit) == 0)
        {
            return TlsError.Alert(TlsAlert.UnsupportedExtension, "An extension answers nothing that was asked.");
        }

        // RFC 8446 section 4.2: a known extension in a message it is not specified for is illegal_parameter. Unknown
        // ones in a message that asks are to be ignored.
        return (Known & bit) != 0 || _isAnswer ? TlsError.Illegal("An extension stands in the wrong message.") : default;
    }
}
