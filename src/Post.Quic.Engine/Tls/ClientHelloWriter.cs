using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Keys;
using Post.Quic.Engine.Tls.Messages;

namespace Post.Quic.Engine.Tls;

/// <summary>Writes the client's hellos (RFC 8446 section 4.1.2): the first, and the one after a HelloRetryRequest.</summary>
internal static class ClientHelloWriter
{
    private const byte PskWithDiffieHellman = 1;

    /// <summary>Writes the message; the binder of a pre-shared key, which covers all before it, is left zero.</summary>
    public static Span<byte> Write(
        MessageWriter writer,
        TlsClientOptions options,
        ITlsHost host,
        ReadOnlySpan<byte> random,
        IReadOnlyList<KeyShareOffer> shares,
        ReadOnlySpan<byte> cookie,
        TlsSessionTicket? ticket,
        bool offersEarlyData,
        DateTimeOffset now)
    {
        writer.Clear();
        int message = writer.BeginMessage(HandshakeType.ClientHello);
        writer.WriteUInt16(TlsVersion.Tls12);
        writer.WriteBytes(random);

        // RFC 9001 section 8.4: an empty legacy_session_id.
        writer.WriteByte(0);
        int suites = writer.Begin(2);
        foreach (CipherSuite suite in options.CipherSuites)
        {
            writer.WriteUInt16((ushort)suite);
        }

        writer.End(suites, 2);
        writer.WriteVector8([0]);
        int extensions = writer.Begin(2);
        if (options.ServerName.Length != 0)
        {
            ServerNames.Write(writer, options.ServerName);
        }

        WriteGroups(writer, options);
        SignatureAlgorithms.Write(writer, options.Crypto);
        CertificateTypes.WriteOffered(writer, ExtensionType.ClientCertificateType, options.OwnTypes);
        CertificateTypes.WriteOffered(writer, ExtensionType.ServerCertificateType, options.CertificatePolicy.PeerTypes);
        ProtocolNames.Write(writer, options.ApplicationProtocols);
        int versions = writer.BeginExtension(ExtensionType.SupportedVersions);
        writer.WriteByte(2);
        writer.WriteUInt16(TlsVersion.Tls13);
        writer.End(versions, 2);
        WriteShares(writer, shares);
        if (!cookie.IsEmpty)
        {
            int extension = writer.BeginExtension(ExtensionType.Cookie);
            writer.WriteVector16(cookie);
            writer.End(extension, 2);
        }

        TransportParametersExtension.Write(writer, host);

        // Without this a server sends no tickets (RFC 8446 section 4.2.9), which is how resumption is declined.
        if (options.AllowResumption)
        {
            int modes = writer.BeginExtension(ExtensionType.PskKeyExchangeModes);
            writer.WriteVector8([PskWithDiffieHellman]);
            writer.End(modes, 2);
        }

        if (offersEarlyData)
        {
            writer.End(writer.BeginExtension(ExtensionType.EarlyData), 2);
        }

        if (ticket is not null)
        {
            WritePreSharedKey(writer, ticket, now);
        }

        writer.End(extensions, 2);
        int length = writer.EndMessage(message).Length;
        return writer.Written[..length];
    }

    /// <summary>Bytes at the end of the message that the binder does not cover: the binders with their lengths.</summary>
    public static int BindersLength(CipherSuite suite) => 2 + 1 + suite.HashLength();

    private static void WriteGroups(MessageWriter writer, TlsClientOptions options)
    {
        int extension = writer.BeginExtension(ExtensionType.SupportedGroups);
        int list = writer.Begin(2);
        foreach (NamedGroup group in options.Groups)
        {
            if (KeyExchange.Find(options.Crypto, group) is not null)
            {
                writer.WriteUInt16((ushort)group);
            }
        }

        writer.End(list, 2);
        writer.End(extension, 2);
    }

    private static void WriteShares(MessageWriter writer, IReadOnlyList<KeyShareOffer> shares)
    {
        int extension = writer.BeginExtension(ExtensionType.KeyShare);
        int list = writer.Begin(2);
        foreach (KeyShareOffer share in shares)
        {
            writer.WriteUInt16((ushort)share.Group);
            writer.WriteVector16(share.Share);
        }

        writer.End(list, 2);
        writer.End(extension, 2);
    }

    // RFC 8446 section 4.2.11: always the last extension.
    private static void WritePreSharedKey(MessageWriter writer, TlsSessionTicket ticket, DateTimeOffset now)
    {
        // RFC 8446 section 4.2.11.1: the age in milliseconds, so masked that connections cannot be linked by it.
        uint age = (uint)Math.Clamp((now - ticket.ReceivedAt).TotalMilliseconds, 0, uint.MaxValue);
        int extension = writer.BeginExtension(ExtensionType.PreSharedKey);
        int identities = writer.Begin(2);
        writer.WriteVector16(ticket.Identity);
        writer.WriteUInt32(unchecked(age + ticket.AgeAdd));
        writer.End(identities, 2);
        Span<byte> placeholder = stackalloc byte[ticket.CipherSuite.HashLength()];
        placeholder.Clear();
        int binders = writer.Begin(2);
        writer.WriteVector8(placeholder);
        writer.End(binders, 2);
        writer.End(extension, 2);
    }
}
