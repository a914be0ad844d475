using System.Net.Security;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>The server's EncryptedExtensions (RFC 8446 section 4.3.1), their form checked.</summary>
internal readonly ref struct EncryptedExtensions
{
    public SslApplicationProtocol ApplicationProtocol { get; private init; }

    public ReadOnlySpan<byte> TransportParameters { get; private init; }

    public bool AcknowledgesName { get; private init; }

    public bool AcceptsEarlyData { get; private init; }

    /// <summary>What this side shows, where the server says; it then also asks for it.</summary>
    public CertificateType? ClientCertificateType { get; private init; }

    /// <summary>What the server shows, where it says.</summary>
    public CertificateType? ServerCertificateType { get; private init; }

    public static TransportError Parse(ReadOnlySpan<byte> message, out EncryptedExtensions parsed)
    {
        parsed = default;
        var reader = new WireReader(message[HandshakeAssembler.HeaderLength..]);
        if (!reader.TryReadVector16(out ReadOnlySpan<byte> block) || !reader.IsEmpty)
        {
            return TlsError.Decode("The EncryptedExtensions are malformed.");
        }

        TransportError error = ExtensionBlock.Parse(block, ExtensionPlace.EncryptedExtensions, out ExtensionBlock extensions);
        if (error.IsError)
        {
            return error;
        }

        // RFC 9001 section 8.1: without a protocol the connection ends with no_application_protocol.
        if (!extensions.TryFind(ExtensionType.ApplicationLayerProtocolNegotiation, out ReadOnlySpan<byte> body))
        {
            return TlsError.Alert(TlsAlert.NoApplicationProtocol, "The server selected no application protocol.");
        }

        if (!ProtocolNames.TryRead(body, out List<SslApplicationProtocol> protocols))
        {
            return TlsError.Decode("The application protocol is malformed.");
        }

        // RFC 7301 section 3.1: exactly one.
        if (protocols.Count != 1)
        {
            return TlsError.Illegal("The server selected several application protocols.");
        }

        // RFC 9001 section 8.2: without transport parameters there is no QUIC.
        if (!extensions.TryFind(ExtensionType.QuicTransportParameters, out ReadOnlySpan<byte> parameters))
        {
            return TlsError.Missing("The server sent no transport parameters.");
        }

        // RFC 6066 section 3 and RFC 8446 section 4.2.10: both answers are empty.
        bool acknowledgesName = extensions.TryFind(ExtensionType.ServerName, out body);
        bool acceptsEarlyData = extensions.TryFind(ExtensionType.EarlyData, out ReadOnlySpan<byte> earlyData);
        if (!body.IsEmpty || !earlyData.IsEmpty)
        {
            return TlsError.Decode("An acknowledgement is not empty.");
        }

        error = CertificateTypes.ReadSelected(extensions, ExtensionType.ClientCertificateType, out CertificateType? clientType);
        if (error.IsError)
        {
            return error;
        }

        error = CertificateTypes.ReadSelected(extensions, ExtensionType.ServerCertificateType, out CertificateType? serverType);
        if (error.IsError)
        {
            return error;
        }

        parsed = new EncryptedExtensions
        {
            ApplicationProtocol = protocols[0],
            TransportParameters = parameters,
            AcknowledgesName = acknowledgesName,
            AcceptsEarlyData = acceptsEarlyData,
            ClientCertificateType = clientType,
            ServerCertificateType = serverType,
        };
        return default;
    }
}
