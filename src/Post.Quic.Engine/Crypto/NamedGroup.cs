namespace Post.Quic.Engine.Crypto;

/// <summary>Key exchange groups (RFC 8446 section 4.2.7, draft-ietf-tls-ecdhe-mlkem).</summary>
internal enum NamedGroup : ushort
{
    None = 0,
    Secp256r1 = 0x0017,
    Secp384r1 = 0x0018,
    X25519 = 0x001d,
    Secp256r1MlKem768 = 0x11eb,
    X25519MlKem768 = 0x11ec,
    Secp384r1MlKem1024 = 0x11ed,
}
