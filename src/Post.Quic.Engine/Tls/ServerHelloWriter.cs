using System.Net.Security;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls;

/// <summary>Writes the server's hellos and its EncryptedExtensions.</summary>
internal static class ServerHelloWriter
{
    /// <summary>A negative <paramref name="selectedKey"/>: none of the client's pre-shared keys was taken.</summary>
    public static ReadOnlySpan<byte> WriteHello(
        MessageWriter writer, ReadOnlySpan<byte> random, CipherSuite suite, NamedGroup group, ReadOnlySpan<byte> share, int selectedKey)
    {
        int message = Begin(writer, random, suite, out int extensions);
        int extension = writer.BeginExtension(ExtensionType.KeyShare);
        writer.WriteUInt16((ushort)group);
        writer.WriteVector16(share);
        writer.End(extension, 2);
        if (selectedKey >= 0)
        {
            extension = writer.BeginExtension(ExtensionType.PreSharedKey);
            writer.WriteUInt16((ushort)selectedKey);
            writer.End(extension, 2);
        }

        writer.End(extensions, 2);
        return writer.EndMessage(message);
    }

    public static ReadOnlySpan<byte> WriteRetry(
        MessageWriter writer, CipherSuite suite, NamedGroup group, ReadOnlySpan<byte> cookie)
    {
        int message = Begin(writer, ServerHello.RetryRandom, suite, out int extensions);
        int extension = writer.BeginExtension(ExtensionType.KeyShare);
        writer.WriteUInt16((ushort)group);
        writer.End(extension, 2);
        if (!cookie.IsEmpty)
        {
            extension = writer.BeginExtension(ExtensionType.Cookie);
            writer.WriteVector16(cookie);
            writer.End(extension, 2);
        }

        writer.End(extensions, 2);
        return writer.EndMessage(message);
    }

    public static ReadOnlySpan<byte> WriteEncryptedExtensions(
        MessageWriter writer,
        ITlsHost host,
        SslApplicationProtocol protocol,
        bool acknowledgesName,
        bool acceptsEarlyData,
        CertificateType? clientType,
        CertificateType? serverType)
    {
        writer.Clear();
        int message = writer.BeginMessage(HandshakeType.EncryptedExtensions);
        int extensions = writer.Begin(2);
        ProtocolNames.Write(writer, [protocol]);
        TransportParametersExtension.Write(writer, host);
        CertificateTypes.WriteSelected(writer, ExtensionType.ClientCertificateType, clientType);
        CertificateTypes.WriteSelected(writer, ExtensionType.ServerCertificateType, serverType);
        if (acknowledgesName)
        {
            writer.End(writer.BeginExtension(ExtensionType.ServerName), 2);
        }

        if (acceptsEarlyData)
        {
            writer.End(writer.BeginExtension(ExtensionType.EarlyData), 2);
        }

        writer.End(extensions, 2);
        return writer.EndMessage(message);
    }

    private static int Begin(MessageWriter writer, ReadOnlySpan<byte> random, CipherSuite suite, out int extensions)
    {
        writer.Clear();
        int message = writer.BeginMessage(HandshakeType.ServerHello);
        writer.WriteUInt16(TlsVersion.Tls12);
        writer.WriteBytes(random);

        // The echo of a legacy_session_id that QUIC leaves empty.
        writer.WriteByte(0);
        writer.WriteUInt16((ushort)suite);
        writer.WriteByte(0);
        extensions = writer.Begin(2);
        int version = writer.BeginExtension(ExtensionType.SupportedVersions);
        writer.WriteUInt16(TlsVersion.Tls13);
        writer.End(version, 2);
        return message;
    }
}
