using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>The Certificate message (RFC 8446 section 4.4.2).</summary>
internal static class CertificateMessage
{
    /// <summary>The certificates in DER, the peer's own first.</summary>
    public static TransportError Parse(ReadOnlySpan<byte> message, out List<byte[]> certificates)
    {
        certificates = [];
        var reader = new WireReader(message[HandshakeAssembler.HeaderLength..]);
        if (!reader.TryReadVector8(out ReadOnlySpan<byte> context) ||
            !reader.TryReadVector24(out ReadOnlySpan<byte> list) ||
            !reader.IsEmpty)
        {
            return TlsError.Decode("The Certificate message is malformed.");
        }

        // RFC 8446 section 4.4.2: the context is empty in the handshake itself.
        if (!context.IsEmpty)
        {
            return TlsError.Illegal("The Certificate message has a context.");
        }

        var entries = new WireReader(list);
        while (!entries.IsEmpty)
        {
            if (!entries.TryReadVector24(out ReadOnlySpan<byte> certificate) || certificate.IsEmpty ||
                !entries.TryReadVector16(out ReadOnlySpan<byte> block))
            {
                return TlsError.Decode("The Certificate message is malformed.");
            }

            TransportError error = ExtensionBlock.Parse(block, ExtensionPlace.Certificate, out _);
            if (error.IsError)
            {
                return error;
            }

            if (certificates.Count == Limits.MaxCertificateChain)
            {
                return TlsError.Alert(TlsAlert.BadCertificate, "The certificate chain is too long.");
            }

            certificates.Add(certificate.ToArray());
        }

        return default;
    }

    public static ReadOnlySpan<byte> Write(MessageWriter writer, IReadOnlyList<ReadOnlyMemory<byte>> certificates)
    {
        int message = writer.BeginMessage(HandshakeType.Certificate);
        writer.WriteByte(0);
        int list = writer.Begin(3);
        foreach (ReadOnlyMemory<byte> certificate in certificates)
        {
            writer.WriteVector24(certificate.Span);
            writer.WriteUInt16(0);
        }

        writer.End(list, 3);
        return writer.EndMessage(message);
    }
}
