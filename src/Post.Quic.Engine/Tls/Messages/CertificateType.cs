namespace Post.Quic.Engine.Tls.Messages;

/// <summary>What the Certificate message carries (RFC 7250 section 3, RFC 8446 section 4.4.2).</summary>
internal enum CertificateType : byte
{
    X509 = 0,
    RawPublicKey = 2,
}
