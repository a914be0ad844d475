namespace Post.Quic.Engine.Tls;

/// <summary>The alerts of TLS 1.3 in words (RFC 8446 section 6, RFC 8446 section B.2).</summary>
internal static class TlsAlertText
{
    /// <summary>The alert's name in the RFC, with its number.</summary>
    public static string NameOf(long alert) => NameOrNull(alert) is { } name ? $"{name} ({alert})" : $"{alert}";

    /// <summary>What it says of the certificate, or the raw public key, of the side that gets it; null where it says nothing of one.</summary>
    public static string? CertificateVerdict(long alert) => alert switch
    {
        42 => "is damaged, does not fit its signature, or was asked for and not shown",
        43 => "is of a kind that it does not take, or that it has none of a kind that this side takes",
        44 => "is revoked",
        45 => "has expired or is not valid yet",
        46 => "is none that it accepts",
        48 => "comes from an authority that it does not trust",
        49 => "is valid, and is not let in",
        116 => "was asked for, and none was shown",
        _ => null,
    };

    /// <summary>What it means where no certificate is at fault; null where the name says it all.</summary>
    public static string? Meaning(long alert) => alert switch
    {
        40 => "The two sides share no cipher suite or key exchange group",
        51 => "A signature or a check over the handshake is wrong: somebody changed it on its way, or one side has a defect",
        70 => "The two sides share no version of TLS",
        71 => "The security parameters of this side are too weak for the other",
        80 => "Something failed that has nothing to do with the handshake, such as a callback of the application",
        90 => "The handshake was given up",
        109 or 110 or 47 or 50 or 10 => "One side sent a handshake message that the other cannot take: one of them has a defect",
        112 => "The server has no certificate for the name that the client asked for",
        120 => "The two sides share no application protocol (ALPN)",
        _ => null,
    };

    private static string? NameOrNull(long alert) => alert switch
    {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => null,
    };
}
