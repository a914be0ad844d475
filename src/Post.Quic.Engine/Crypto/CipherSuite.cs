namespace Post.Quic.Engine.Crypto;

/// <summary>
/// The cipher suites of TLS 1.3 that QUIC uses here, with their code points (RFC 8446 appendix B.4). The two CCM suites
/// are left out: one is forbidden for QUIC (RFC 9001 section 5.3) and nobody deploys the other.
/// </summary>
internal enum CipherSuite : ushort
{
    /// <summary>No suite: not yet negotiated.</summary>
    None = 0,

    Aes128GcmSha256 = 0x1301,

    Aes256GcmSha384 = 0x1302,

    ChaCha20Poly1305Sha256 = 0x1303,
}
