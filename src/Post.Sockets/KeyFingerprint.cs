using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Post.Sockets;

/// <summary>
/// The SHA-256 of a public key (its SubjectPublicKeyInfo, as in RFC 7469), of a certificate or without one: what a pinned identity is compared by.
/// It survives the renewal of a certificate as long as the key stays.
/// </summary>
public readonly struct KeyFingerprint : IEquatable<KeyFingerprint>, ISpanParsable<KeyFingerprint>
{
    /// <summary>Bytes in a fingerprint.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    private readonly ReadOnlyMemory<byte> _hash;

    private KeyFingerprint(byte[] hash) => _hash = hash;

    /// <summary>The hash; empty only for the default value, which equals no real fingerprint.</summary>
    public ReadOnlySpan<byte> Bytes => _hash.Span;

    /// <summary>The fingerprint of a certificate's public key.</summary>
    /// <param name="certificate">The certificate.</param>
    public static KeyFingerprint Of(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return OfPublicKey(certificate.PublicKey.ExportSubjectPublicKeyInfo());
    }

    /// <summary>The fingerprint of a public key.</summary>
    /// <param name="subjectPublicKeyInfo">The key, DER-encoded as SubjectPublicKeyInfo.</param>
    public static KeyFingerprint OfPublicKey(ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        new(SHA256.HashData(subjectPublicKeyInfo));

    /// <summary>Takes a hash as it is.</summary>
    /// <param name="hash">Its 32 bytes.</param>
    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public static KeyFingerprint FromHash(ReadOnlySpan<byte> hash) => hash.Length == Size
        ? new KeyFingerprint(hash.ToArray())
        : throw new ArgumentException($"A fingerprint has {Size} bytes, not {hash.Length}.", nameof(hash));

    /// <summary>Reads <c>sha256:</c> and 64 hexadecimal digits; the prefix is optional, colons between digits are skipped.</summary>
    /// <param name="s">The text.</param>
    /// <param name="provider">Ignored.</param>
    /// <exception cref="FormatException">It is something else.</exception>
    public static KeyFingerprint Parse(string s, IFormatProvider? provider = null)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Parse(s.AsSpan(), provider);
    }

    /// <inheritdoc cref="Parse(string, IFormatProvider?)"/>
    public static KeyFingerprint Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var result)
            ? result
            : throw new FormatException("A key fingerprint is written \"sha256:\" followed by 64 hexadecimal digits.");

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, IFormatProvider?, out KeyFingerprint)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, out KeyFingerprint result) => TryParse(s.AsSpan(), null, out result);

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, IFormatProvider?, out KeyFingerprint)"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out KeyFingerprint result) =>
        TryParse(s.AsSpan(), provider, out result);

    /// <summary>Reads what <see cref="Parse(string, IFormatProvider?)"/> reads, without an exception.</summary>
    /// <param name="s">The text.</param>
    /// <param name="provider">Ignored.</param>
    /// <param name="result">The fingerprint.</param>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out KeyFingerprint result)
    {
        result = default;
        s = s.Trim();
        if (s.StartsWith("sha256:", StringComparison.OrdinalIgnoreCase))
        {
            s = s[7..];
        }

        Span<char> digits = stackalloc char[2 * Size];
        var count = 0;
        foreach (var c in s)
        {
            if (c == ':')
            {
                continue;
            }

            if (count == digits.Length)
            {
                return false;
            }

            digits[count++] = c;
        }

        var hash = new byte[Size];
        if (count != digits.Length
            || Convert.FromHexString(digits, hash, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        result = new KeyFingerprint(hash);
        return true;
    }

    /// <summary>Compares in constant time.</summary>
    public static bool operator ==(KeyFingerprint left, KeyFingerprint right) => left.Equals(right);

    /// <summary>Compares in constant time.</summary>
    public static bool operator !=(KeyFingerprint left, KeyFingerprint right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(KeyFingerprint other) => CryptographicOperations.FixedTimeEquals(_hash.Span, other._hash.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is KeyFingerprint other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash.Length < 4 ? 0 : BitConverter.ToInt32(_hash.Span);

    /// <summary>The form that <see cref="Parse(string, IFormatProvider?)"/> reads.</summary>
    public override string ToString() =>
        _hash.IsEmpty ? "sha256:" : "sha256:" + Convert.ToHexStringLower(_hash.Span);
}
