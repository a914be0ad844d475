using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>A received ClientHello (RFC 8446 section 4.1.2), its form checked, its extensions not yet read.</summary>
internal readonly ref struct ClientHello
{
    public ReadOnlySpan<byte> Random { get; private init; }

    /// <summary>Pairs of bytes, in the client's order of preference.</summary>
    public ReadOnlySpan<byte> CipherSuites { get; private init; }

    public ExtensionBlock Extensions { get; private init; }

    public static TransportError Parse(ReadOnlySpan<byte> message, out ClientHello hello)
    {
        hello = default;
        var reader = new WireReader(message[HandshakeAssembler.HeaderLength..]);
        if (!reader.TryReadUInt16(out ushort legacyVersion) ||
            !reader.TryReadBytes(32, out ReadOnlySpan<byte> random) ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> sessionId) ||
            sessionId.Length > 32 ||
            !reader.TryReadVector16(out ReadOnlySpan<byte> suites) ||
            suites.IsEmpty || suites.Length % 2 != 0 ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> compressions) ||
            compressions.IsEmpty)
        {
            return TlsError.Decode("The ClientHello is malformed.");
        }

        ReadOnlySpan<byte> block = default;
        if (!reader.IsEmpty && (!reader.TryReadVector16(out block) || !reader.IsEmpty))
        {
            return TlsError.Decode("The ClientHello's extensions are malformed.");
        }

        TransportError error = ExtensionBlock.Parse(block, ExtensionPlace.ClientHello, out ExtensionBlock extensions);
        if (error.IsError)
        {
            return error;
        }

        error = CheckVersion(legacyVersion, extensions);
        if (error.IsError)
        {
            return error;
        }

        // RFC 9001 section 8.4: QUIC has no use for the middlebox compatibility mode.
        if (!sessionId.IsEmpty)
        {
            return TlsError.Violation("legacy_session_id is not empty.");
        }

        // RFC 8446 section 4.1.2: exactly one byte, zero.
        if (compressions.Length != 1 || compressions[0] != 0)
        {
            return TlsError.Illegal("TLS 1.3 knows no compression.");
        }

        hello = new ClientHello { Random = random, CipherSuites = suites, Extensions = extensions };
        return default;
    }

    // RFC 9001 section 4.2: versions of TLS older than 1.3 are refused.
    private static TransportError CheckVersion(ushort legacyVersion, ExtensionBlock extensions)
    {
        if (!extensions.TryFind(ExtensionType.SupportedVersions, out ReadOnlySpan<byte> body))
        {
            return TlsError.Alert(TlsAlert.ProtocolVersion, "The client does not speak TLS 1.3.");
        }

        var reader = new WireReader(body);
        if (!reader.TryReadVector8(out ReadOnlySpan<byte> versions) || !reader.IsEmpty ||
            versions.IsEmpty || versions.Length % 2 != 0)
        {
            return TlsError.Decode("supported_versions is malformed.");
        }

        if (!VectorReading.ContainsNumber(versions, TlsVersion.Tls13))
        {
            return TlsError.Alert(TlsAlert.ProtocolVersion, "The client does not speak TLS 1.3.");
        }

        // RFC 8446 section 4.1.2: legacy_version MUST be 0x0303.
        return legacyVersion == TlsVersion.Tls12 ? default : TlsError.Illegal("legacy_version is not that of TLS 1.2.");
    }
}
