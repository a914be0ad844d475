using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Tls.Keys;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Certificates;

/// <summary>The proof that the sender holds the key of what it showed (RFC 8446 section 4.4.3).</summary>
internal static class CertificateVerifyMessage
{
    private const int PaddingLength = 64;

    private static ReadOnlySpan<byte> ServerContext => "TLS 1.3, server CertificateVerify\0"u8;

    private static ReadOnlySpan<byte> ClientContext => "TLS 1.3, client CertificateVerify\0"u8;

    public static ReadOnlySpan<byte> Write(
        MessageWriter writer, Credential credential, SignatureScheme scheme, bool isServer, Transcript transcript)
    {
        Span<byte> content = stackalloc byte[ContentLength(transcript)];
        WriteContent(isServer, transcript, content);
        int message = writer.BeginMessage(HandshakeType.CertificateVerify);
        writer.WriteUInt16((ushort)scheme);
        writer.WriteVector16(credential.Sign(scheme, content));
        return writer.EndMessage(message);
    }

    /// <summary>Checks the peer's message against the transcript up to its Certificate.</summary>
    public static TransportError Check(
        ReadOnlySpan<byte> message, PeerCredential peer, bool isServer, Transcript transcript, CryptoProvider provider)
    {
        var reader = new WireReader(message[HandshakeAssembler.HeaderLength..]);
        if (!reader.TryReadUInt16(out ushort number) ||
            !reader.TryReadVector16(out ReadOnlySpan<byte> signature) ||
            !reader.IsEmpty)
        {
            return TlsError.Decode("The CertificateVerify is malformed.");
        }

        // RFC 8446 section 4.4.3: one of the algorithms we offered, none of PKCS#1, and one that fits the key.
        var scheme = (SignatureScheme)number;
        if (!SignatureAlgorithms.ForHandshake(provider).Contains(scheme) || !peer.Fits(scheme))
        {
            return TlsError.Illegal("The CertificateVerify's algorithm was not offered or does not fit the key.");
        }

        Span<byte> content = stackalloc byte[ContentLength(transcript)];
        WriteContent(isServer, transcript, content);
        return peer.Verify(scheme, content, signature)
            ? default
            : TlsError.Alert(TlsAlert.DecryptError, "The CertificateVerify's signature is wrong.");
    }

    private static int ContentLength(Transcript transcript) =>
        PaddingLength + ServerContext.Length + transcript.Suite.HashLength();

    // RFC 8446 section 4.4.3: the padding keeps the signature apart from those of earlier versions.
    private static void WriteContent(bool isServer, Transcript transcript, Span<byte> content)
    {
        content[..PaddingLength].Fill(0x20);
        (isServer ? ServerContext : ClientContext).CopyTo(content[PaddingLength..]);
        transcript.Current(content[(PaddingLength + ServerContext.Length)..]);
    }
}
