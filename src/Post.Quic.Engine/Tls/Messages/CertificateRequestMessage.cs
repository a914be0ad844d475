using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>The CertificateRequest message (RFC 8446 section 4.3.2).</summary>
internal static class CertificateRequestMessage
{
    public static TransportError Parse(
        ReadOnlySpan<byte> message, out ReadOnlySpan<byte> signatureSchemes, out List<byte[]> authorities)
    {
        signatureSchemes = default;
        authorities = [];
        var reader = new WireReader(message[HandshakeAssembler.HeaderLength..]);
        if (!reader.TryReadVector8(out ReadOnlySpan<byte> context) ||
            !reader.TryReadVector16(out ReadOnlySpan<byte> block) ||
            !reader.IsEmpty)
        {
            return TlsError.Decode("The CertificateRequest is malformed.");
        }

        // RFC 8446 section 4.3.2: the context is empty in the handshake itself.
        if (!context.IsEmpty)
        {
            return TlsError.Illegal("The CertificateRequest has a context.");
        }

        TransportError error = ExtensionBlock.Parse(block, ExtensionPlace.CertificateRequest, out ExtensionBlock extensions);
        if (error.IsError)
        {
            return error;
        }

        // RFC 8446 section 4.3.2: signature_algorithms MUST be specified.
        if (!extensions.TryFind(ExtensionType.SignatureAlgorithms, out ReadOnlySpan<byte> body))
        {
            return TlsError.Missing("The CertificateRequest lacks signature_algorithms.");
        }

        if (!VectorReading.TryReadNumbers(body, out signatureSchemes))
        {
            return TlsError.Decode("signature_algorithms is malformed.");
        }

        return !extensions.TryFind(ExtensionType.CertificateAuthorities, out body) || TryReadAuthorities(body, authorities)
            ? default
            : TlsError.Decode("certificate_authorities is malformed.");
    }

    public static ReadOnlySpan<byte> Write(
        MessageWriter writer, IReadOnlyList<byte[]> authorities, CryptoProvider provider)
    {
        int message = writer.BeginMessage(HandshakeType.CertificateRequest);
        writer.WriteByte(0);
        int extensions = writer.Begin(2);
        SignatureAlgorithms.Write(writer, provider);
        if (authorities.Count != 0)
        {
            int extension = writer.BeginExtension(ExtensionType.CertificateAuthorities);
            int list = writer.Begin(2);
            foreach (byte[] authority in authorities)
            {
                writer.WriteVector16(authority);
            }

            writer.End(list, 2);
            writer.End(extension, 2);
        }

        writer.End(extensions, 2);
        return writer.EndMessage(message);
    }

    private static bool TryReadAuthorities(ReadOnlySpan<byte> body, List<byte[]> authorities)
    {
        var outer = new WireReader(body);
        if (!outer.TryReadVector16(out ReadOnlySpan<byte> list) || !outer.IsEmpty || list.IsEmpty)
        {
            return false;
        }

        var reader = new WireReader(list);
        while (!reader.IsEmpty)
        {
            if (!reader.TryReadVector16(out ReadOnlySpan<byte> name) || name.IsEmpty)
            {
                return false;
            }

            if (authorities.Count < Limits.MaxCertificateAuthorities)
            {
                authorities.Add(name.ToArray());
            }
        }

        return true;
    }
}
