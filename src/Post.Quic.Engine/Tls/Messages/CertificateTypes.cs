using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>
/// The extensions client_certificate_type and server_certificate_type (RFC 7250 section 3): a list in the ClientHello, one of
/// them in the EncryptedExtensions.
/// </summary>
internal static class CertificateTypes
{
    private static readonly byte[] X509Alone = [(byte)CertificateType.X509];

    /// <summary>What holds where the extension is not there (RFC 7250 section 4.1).</summary>
    public static IReadOnlyList<CertificateType> Default { get; } = [CertificateType.X509];

    /// <summary>
    /// The types of a ClientHello, a byte each, in its order of preference; X.509 alone where it lists none.
    /// </summary>
    public static TransportError ReadOffered(
        ExtensionBlock extensions, ExtensionType extension, out ReadOnlySpan<byte> types, out bool isListed)
    {
        types = X509Alone;
        isListed = extensions.TryFind(extension, out ReadOnlySpan<byte> body);
        if (!isListed)
        {
            return default;
        }

        var reader = new WireReader(body);
        return reader.TryReadVector8(out types) && reader.IsEmpty && !types.IsEmpty
            ? default
            : TlsError.Decode("A list of certificate types is malformed.");
    }

    /// <summary>The type that a server selected; null where it answers nothing.</summary>
    public static TransportError ReadSelected(ExtensionBlock extensions, ExtensionType extension, out CertificateType? type)
    {
        type = null;
        if (!extensions.TryFind(extension, out ReadOnlySpan<byte> body))
        {
            return default;
        }

        if (body.Length != 1)
        {
            return TlsError.Decode("A selected certificate type is malformed.");
        }

        type = (CertificateType)body[0];
        return default;
    }

    /// <summary>Writes the list, unless it says no more than its absence does (RFC 7250 section 4.1).</summary>
    public static void WriteOffered(MessageWriter writer, ExtensionType extension, IReadOnlyList<CertificateType> types)
    {
        if (!IsOffered(types))
        {
            return;
        }

        int mark = writer.BeginExtension(extension);
        writer.WriteByte(checked((byte)types.Count));
        foreach (CertificateType type in types)
        {
            writer.WriteByte((byte)type);
        }

        writer.End(mark, 2);
    }

    public static void WriteSelected(MessageWriter writer, ExtensionType extension, CertificateType? type)
    {
        if (type is { } selected)
        {
            int mark = writer.BeginExtension(extension);
            writer.WriteByte((byte)selected);
            writer.End(mark, 2);
        }
    }

    /// <summary>Whether the list goes into a ClientHello.</summary>
    public static bool IsOffered(IReadOnlyList<CertificateType> types) => types.Count != 0 && !(types.Count == 1 && types[0] == CertificateType.X509);
}
