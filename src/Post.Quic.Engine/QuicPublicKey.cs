using Post.Quic.Engine.Crypto;

namespace Post.Quic.Engine;

/// <summary>A public key that stands for an identity without a certificate (RFC 7250). Immutable; equal to another of the same bytes.</summary>
public sealed class QuicPublicKey : IEquatable<QuicPublicKey>
{
    private const byte Uncompressed = 4;

    private readonly RawPublicKey _key;

    internal QuicPublicKey(RawPublicKey key) => _key = key;

    /// <summary>Of what kind it is.</summary>
    public QuicKeyAlgorithm Algorithm => (QuicKeyAlgorithm)_key.Algorithm;

    /// <summary>The key as SubjectPublicKeyInfo in DER (RFC 5480, RFC 8410): 44 bytes of Ed25519, 91 of P-256, 120 of P-384.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo => _key.Encoded;

    /// <summary>Reads a SubjectPublicKeyInfo in DER.</summary>
    /// <param name="subjectPublicKeyInfo">It, with nothing after it; the point of a curve must not be compressed.</param>
    /// <returns>The key.</returns>
    /// <exception cref="ArgumentException">It is something else, or a key of a kind that <see cref="QuicKeyAlgorithm"/> does not have.</exception>
    public static QuicPublicKey FromSubjectPublicKeyInfo(ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        RawPublicKey.Parse(subjectPublicKeyInfo) is { } key
            ? new QuicPublicKey(key)
            : throw new ArgumentException(
                "It is no SubjectPublicKeyInfo of an Ed25519, P-256 or P-384 key in DER with an uncompressed point.", nameof(subjectPublicKeyInfo));

    /// <summary>Makes a key of its bytes alone.</summary>
    /// <param name="algorithm">Its kind.</param>
    /// <param name="key">32 bytes of Ed25519 (RFC 8032 section 5.1.5), or an uncompressed point of a curve (SEC 1): 65 or 97 bytes.</param>
    /// <returns>The key.</returns>
    /// <exception cref="ArgumentException">The bytes are not of that form.</exception>
    public static QuicPublicKey FromBytes(QuicKeyAlgorithm algorithm, ReadOnlySpan<byte> key)
    {
        bool isPoint = algorithm != QuicKeyAlgorithm.Ed25519;
        bool hasForm = Enum.IsDefined(algorithm) && (!isPoint || (key.Length > 0 && key[0] == Uncompressed));
        return hasForm && RawPublicKey.Create((KeyAlgorithm)algorithm, isPoint ? key[1..] : key) is { } created
            ? new QuicPublicKey(created)
            : throw new ArgumentException(
                "It is no public key of that kind; give 32 bytes for Ed25519, or an uncompressed point of 65 or 97 bytes for P-256 or P-384.",
                nameof(key));
    }

    /// <summary>The key's bytes alone, in the form that <see cref="FromBytes"/> takes.</summary>
    /// <returns>A copy of them.</returns>
    public byte[] ToBytes() => Algorithm == QuicKeyAlgorithm.Ed25519 ? _key.Key.ToArray() : [Uncompressed, .. _key.Key];

    /// <summary>SHA-256 over <see cref="SubjectPublicKeyInfo"/>: what <see cref="QuicConnectionOptions.PinnedPublicKeys"/> holds.</summary>
    /// <returns>The 32 bytes.</returns>
    public byte[] GetHash() => _key.Hash();

    /// <inheritdoc/>
    public bool Equals(QuicPublicKey? other) => other is not null && _key.Equals(other._key);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as QuicPublicKey);

    /// <inheritdoc/>
    public override int GetHashCode() => _key.GetHashCode();

    /// <summary>Its kind and its bytes in hexadecimal digits.</summary>
    public override string ToString() => $"{Algorithm}:{Convert.ToHexStringLower(ToBytes())}";

    internal static QuicPublicKey? Of(RawPublicKey? key) => key is null ? null : new QuicPublicKey(key);
}
