using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto;

/// <summary>A public key as TLS sends it without a certificate (RFC 7250): the DER form of its SubjectPublicKeyInfo.</summary>
internal sealed class RawPublicKey : IEquatable<RawPublicKey>
{
    private readonly byte[] _encoded;
    private readonly int _prefixLength;

    private RawPublicKey(KeyAlgorithm algorithm, byte[] encoded, int prefixLength)
    {
        Algorithm = algorithm;
        _encoded = encoded;
        _prefixLength = prefixLength;
    }

    public KeyAlgorithm Algorithm { get; }

    /// <summary>The SubjectPublicKeyInfo in DER.</summary>
    public ReadOnlyMemory<byte> Encoded => _encoded;

    /// <summary>The key itself: 32 bytes of Ed25519 (RFC 8032), or the two coordinates of a point of a curve.</summary>
    public ReadOnlySpan<byte> Key => _encoded.AsSpan(_prefixLength);

    /// <summary>SHA-256 over the SubjectPublicKeyInfo, by which keys are pinned.</summary>
    public byte[] Hash() => SHA256.HashData(_encoded);

    /// <summary>
    /// Reads a SubjectPublicKeyInfo; null where it is not exactly one of a known kind. DER has one form for each value, and the
    /// kinds fix every length, so that all before the key is constant and nothing is left to parse.
    /// </summary>
    public static RawPublicKey? Parse(ReadOnlySpan<byte> encoded)
    {
        foreach (KeyAlgorithm algorithm in (ReadOnlySpan<KeyAlgorithm>)[KeyAlgorithm.Ed25519, KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP384])
        {
            ReadOnlySpan<byte> prefix = PrefixOf(algorithm);
            if (encoded.Length == prefix.Length + LengthOf(algorithm) && encoded.StartsWith(prefix))
            {
                return new RawPublicKey(algorithm, encoded.ToArray(), prefix.Length);
            }
        }

        return null;
    }

    /// <summary>The key of its bytes; null where they are not of the length, or of the form, that the algorithm has.</summary>
    public static RawPublicKey? Create(KeyAlgorithm algorithm, ReadOnlySpan<byte> key) => Parse([.. PrefixOf(algorithm), .. key]);

    public bool Equals(RawPublicKey? other) => other is not null && _encoded.AsSpan().SequenceEqual(other._encoded);

    public override bool Equals(object? obj) => Equals(obj as RawPublicKey);

    public override int GetHashCode() => BitConverter.ToInt32(_encoded.AsSpan()[^sizeof(int)..]);

    private static int LengthOf(KeyAlgorithm algorithm) => algorithm switch
    {
        KeyAlgorithm.Ed25519 => 32,
        KeyAlgorithm.EcdsaP256 => 2 * 32,
        _ => 2 * 48,
    };

    // RFC 8410 section 4, and RFC 5480 sections 2.1.1 and 2.2 with the byte that says that the point is not compressed: RFC 8446
    // section 4.2.8.2 has no other form, and a key in two forms would have two fingerprints.
    private static ReadOnlySpan<byte> PrefixOf(KeyAlgorithm algorithm) => algorithm switch
    {
        KeyAlgorithm.Ed25519 => [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00],
        KeyAlgorithm.EcdsaP256 =>
        [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
            0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
        ],
        _ =>
        [
            0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
            0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04,
        ],
    };
}
