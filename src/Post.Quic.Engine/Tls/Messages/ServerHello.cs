using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>A received ServerHello or HelloRetryRequest (RFC 8446 sections 4.1.3 and 4.1.4), checked for its version.</summary>
internal readonly ref struct ServerHello
{
    /// <summary>The random that makes a ServerHello a HelloRetryRequest: SHA-256 of "HelloRetryRequest".</summary>
    public static ReadOnlySpan<byte> RetryRandom =>
    [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
        0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];

    public bool IsRetry { get; private init; }

    public CipherSuite CipherSuite { get; private init; }

    public ExtensionBlock Extensions { get; private init; }

    public static TransportError Parse(ReadOnlySpan<byte> message, out ServerHello hello)
    {
        hello = default;
        var reader = new WireReader(message[HandshakeAssembler.HeaderLength..]);
        if (!reader.TryReadUInt16(out ushort legacyVersion) ||
            !reader.TryReadBytes(32, out ReadOnlySpan<byte> random) ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> sessionId) ||
            sessionId.Length > 32 ||
            !reader.TryReadUInt16(out ushort suite) ||
            !reader.TryReadByte(out byte compression))
        {
            return TlsError.Decode("The ServerHello is malformed.");
        }

        ReadOnlySpan<byte> block = default;
        if (!reader.IsEmpty && (!reader.TryReadVector16(out block) || !reader.IsEmpty))
        {
            return TlsError.Decode("The ServerHello's extensions are malformed.");
        }

        // A server of TLS 1.2 answers with extensions that have no place in 1.3: its version is judged before them.
        if (!ExtensionBlock.TryFind(block, ExtensionType.SupportedVersions, out ReadOnlySpan<byte> version))
        {
            return RefuseOlder(random);
        }

        bool isRetry = random.SequenceEqual(RetryRandom);
        TransportError error = ExtensionBlock.Parse(
            block, isRetry ? ExtensionPlace.HelloRetryRequest : ExtensionPlace.ServerHello, out ExtensionBlock extensions);
        if (error.IsError)
        {
            return error;
        }

        // RFC 8446 section 4.2.1: the version selected is one that was offered, and it is only said there.
        if (version.Length != 2)
        {
            return TlsError.Decode("supported_versions is malformed.");
        }

        if (!VectorReading.ContainsNumber(version, TlsVersion.Tls13) || legacyVersion != TlsVersion.Tls12)
        {
            return TlsError.Illegal("The server selected a version that was not offered.");
        }

        // RFC 8446 section 4.1.3: the echo of our legacy_session_id, which is empty.
        if (!sessionId.IsEmpty)
        {
            return TlsError.Illegal("legacy_session_id_echo is not empty.");
        }

        if (compression != 0)
        {
            return TlsError.Illegal("TLS 1.3 knows no compression.");
        }

        hello = new ServerHello { IsRetry = isRetry, CipherSuite = (CipherSuite)suite, Extensions = extensions };
        return default;
    }

    // RFC 8446 section 4.1.3: the last eight bytes a server of TLS 1.3 sets when it is made to answer with less.
    private static bool IsDowngrade(ReadOnlySpan<byte> random) =>
        random[24..].SequenceEqual("DOWNGRD\x01"u8) || random[24..].SequenceEqual("DOWNGRD\x00"u8);

    private static TransportError RefuseOlder(ReadOnlySpan<byte> random) => IsDowngrade(random)
        ? TlsError.Illegal("Someone made the server answer with an older version of TLS.")
        : TlsError.Alert(TlsAlert.ProtocolVersion, "The server does not speak TLS 1.3.");
}
