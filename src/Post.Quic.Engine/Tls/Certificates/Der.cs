using System.Formats.Asn1;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>What is asked of bytes that should be DER, without an exception for what is not.</summary>
internal static class Der
{
    /// <summary>The bytes are one SEQUENCE, with nothing after it.</summary>
    public static bool IsOneValue(ReadOnlySpan<byte> encoded) =>
        AsnDecoder.TryReadEncodedValue(encoded, AsnEncodingRules.DER, out Asn1Tag tag, out _, out _, out int consumed)
        && tag.HasSameClassAndValue(Asn1Tag.Sequence)
        && consumed == encoded.Length;
}
