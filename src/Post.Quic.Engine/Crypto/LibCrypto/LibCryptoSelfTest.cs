namespace Post.Quic.Engine.Crypto.LibCrypto;

/// <summary>
/// Known answers that a libcrypto must give before any packet is entrusted to it. It guards against a library that has
/// the exports and not their meaning.
/// </summary>
internal static class LibCryptoSelfTest
{
    // The AES-GCM answers are test cases 2 and 14 of the GCM specification: everything zero, one block. The others are
    // RFC 9001 appendices A.2 and A.5, and one block of zeros under AES-256 with a key of zeros.
    private static ReadOnlySpan<byte> Aes128GcmAnswer =>
    [
        0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92, 0xf3, 0x28, 0xc2, 0xb9, 0x71, 0xb2, 0xfe, 0x78,
        0xab, 0x6e, 0x47, 0xd4, 0x2c, 0xec, 0x13, 0xbd, 0xf5, 0x3a, 0x67, 0xb2, 0x12, 0x57, 0xbd, 0xdf,
    ];

    private static ReadOnlySpan<byte> Aes256GcmAnswer =>
    [
        0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18,
        0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19,
    ];

    private static ReadOnlySpan<byte> ChaChaKey =>
    [
        0xc6, 0xd9, 0x8f, 0xf3, 0x44, 0x1c, 0x3f, 0xe1, 0xb2, 0x18, 0x20, 0x94, 0xf6, 0x9c, 0xaa, 0x2e,
        0xd4, 0xb7, 0x16, 0xb6, 0x54, 0x88, 0x96, 0x0a, 0x7a, 0x98, 0x49, 0x79, 0xfb, 0x23, 0xe1, 0xc8,
    ];

    private static ReadOnlySpan<byte> ChaChaNonce => [0xe0, 0x45, 0x9b, 0x34, 0x74, 0xbd, 0xd0, 0xe4, 0x6d, 0x41, 0x7e, 0xb0];

    private static ReadOnlySpan<byte> ChaChaHeader => [0x42, 0x00, 0xbf, 0xf4];

    private static ReadOnlySpan<byte> ChaChaAnswer =>
        [0x65, 0x5e, 0x5c, 0xd5, 0x5c, 0x41, 0xf6, 0x90, 0x80, 0x57, 0x5d, 0x79, 0x99, 0xc2, 0x5a, 0x5b, 0xfb];

    private static ReadOnlySpan<byte> ChaChaHeaderKey =>
    [
        0x25, 0xa2, 0x82, 0xb9, 0xe8, 0x2f, 0x06, 0xf2, 0x1f, 0x48, 0x89, 0x17, 0xa4, 0xfc, 0x8f, 0x1b,
        0x73, 0x57, 0x36, 0x85, 0x60, 0x85, 0x97, 0xd0, 0xef, 0xcb, 0x07, 0x6b, 0x0a, 0xb7, 0xa7, 0xa4,
    ];

    private static ReadOnlySpan<byte> AesHeaderKey =>
        [0x9f, 0x50, 0x44, 0x9e, 0x04, 0xa0, 0xe8, 0x10, 0x28, 0x3a, 0x1e, 0x99, 0x33, 0xad, 0xed, 0xd2];

    private static ReadOnlySpan<byte> AesSample =>
        [0xd1, 0xb1, 0xc9, 0x8d, 0xd7, 0x68, 0x9f, 0xb8, 0xec, 0x11, 0xd2, 0x42, 0xb1, 0x23, 0xdc, 0x9b];

    public static bool Passes(CryptoProvider provider, CipherSuite suite)
    {
        try
        {
            return suite switch
            {
                CipherSuite.Aes128GcmSha256 =>
                    SealsAndOpens(provider, suite, stackalloc byte[16], stackalloc byte[Aead.NonceLength], [], Aes128GcmAnswer, 0)
                    && MasksAs(provider, suite, AesHeaderKey, AesSample, 0x36ec9a7b43),
                CipherSuite.Aes256GcmSha384 =>
                    SealsAndOpens(provider, suite, stackalloc byte[32], stackalloc byte[Aead.NonceLength], [], Aes256GcmAnswer, 0)
                    && MasksAs(provider, suite, stackalloc byte[32], stackalloc byte[16], 0xa278c095dc),
                CipherSuite.ChaCha20Poly1305Sha256 =>
                    SealsAndOpens(provider, suite, ChaChaKey, ChaChaNonce, ChaChaHeader, ChaChaAnswer, 1)
                    && MasksAs(provider, suite, ChaChaHeaderKey, ChaChaAnswer[1..], 0x037dfefeae),
                _ => false,
            };
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return false;
        }
    }

    private static bool SealsAndOpens(
        CryptoProvider provider,
        CipherSuite suite,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<byte> nonce,
        ReadOnlySpan<byte> associatedData,
        ReadOnlySpan<byte> answer,
        byte plain)
    {
        Span<byte> work = stackalloc byte[answer.Length];
        int length = answer.Length - Aead.TagLength;
        using Aead sender = provider.CreateAead(suite, KeyDirection.Send, key);
        using Aead receiver = provider.CreateAead(suite, KeyDirection.Receive, key);

        // Twice, since the second time only the nonce is set anew: the way every packet goes.
        for (int round = 0; round < 2; round++)
        {
            work[..length].Fill(plain);
            sender.Seal(nonce, associatedData, work[..length], work[length..]);
            if (!work.SequenceEqual(answer))
            {
                return false;
            }

            work[^1] ^= 1;
            if (receiver.TryOpen(nonce, associatedData, work[..length], work[length..]))
            {
                return false;
            }

            answer.CopyTo(work);
            if (!receiver.TryOpen(nonce, associatedData, work[..length], work[length..])
                || work[..length].ContainsAnyExcept(plain))
            {
                return false;
            }
        }

        return true;
    }

    private static bool MasksAs(
        CryptoProvider provider, CipherSuite suite, ReadOnlySpan<byte> key, ReadOnlySpan<byte> sample, ulong mask)
    {
        const ulong FiveBytes = 0xff_ffff_ffff;
        using HeaderProtection protection = provider.CreateHeaderProtection(suite, key);
        return (protection.Mask(sample) & FiveBytes) == mask && (protection.Mask(sample) & FiveBytes) == mask;
    }
}
