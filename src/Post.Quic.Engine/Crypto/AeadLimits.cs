namespace Post.Quic.Engine.Crypto;

/// <summary>How much one AEAD key may be used before it leaks (RFC 9001 section 6.6 and appendix B).</summary>
/// <param name="Confidentiality">Packets that may be protected with one key.</param>
/// <param name="Integrity">Received packets that may fail to authenticate within a connection, across all of its keys.</param>
internal readonly record struct AeadLimits(ulong Confidentiality, ulong Integrity)
{
    /// <summary>The table of RFC 9001 section 6.6, for packets of up to 2^16 bytes.</summary>
    public static AeadLimits For(CipherSuite suite) => suite switch
    {
        CipherSuite.Aes128GcmSha256 or CipherSuite.Aes256GcmSha384 => new(1UL << 23, 1UL << 52),

        // More packets than there are packet numbers: in effect no limit.
        CipherSuite.ChaCha20Poly1305Sha256 => new(1UL << 62, 1UL << 36),
        _ => throw new ArgumentOutOfRangeException(nameof(suite)),
    };
}
