using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Post.Quic.Engine.Crypto;

/// <summary>HKDF with the labels of TLS 1.3 (RFC 8446 section 7.1), which QUIC uses too (RFC 9001 section 5.1).</summary>
internal static class Hkdf
{
    private static ReadOnlySpan<byte> Prefix => "tls13 "u8;

    /// <summary>HKDF-Extract; <paramref name="pseudoRandomKey"/> is as long as the hash.</summary>
    public static void Extract(
        HashAlgorithmName hash,
        ReadOnlySpan<byte> salt,
        ReadOnlySpan<byte> inputKeyingMaterial,
        Span<byte> pseudoRandomKey)
    {
        int written = HKDF.Extract(hash, inputKeyingMaterial, salt, pseudoRandomKey);
        Debug.Assert(written == pseudoRandomKey.Length, "The buffer must be as long as the hash.");
    }

    /// <summary>HKDF-Expand-Label; <paramref name="label"/> comes without its "tls13 ".</summary>
    public static void ExpandLabel(
        HashAlgorithmName hash,
        ReadOnlySpan<byte> secret,
        ReadOnlySpan<byte> label,
        ReadOnlySpan<byte> context,
        Span<byte> output)
    {
        int labelLength = Prefix.Length + label.Length;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(labelLength, byte.MaxValue, nameof(label));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(context.Length, byte.MaxValue, nameof(context));

        // struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel
        Span<byte> info = stackalloc byte[2 + 1 + byte.MaxValue + 1 + byte.MaxValue];
        BinaryPrimitives.WriteUInt16BigEndian(info, checked((ushort)output.Length));
        info[2] = (byte)labelLength;
        Prefix.CopyTo(info[3..]);
        label.CopyTo(info[(3 + Prefix.Length)..]);
        int position = 3 + labelLength;
        info[position++] = (byte)context.Length;
        context.CopyTo(info[position..]);
        HKDF.Expand(hash, secret, output, info[..(position + context.Length)]);
    }
}
