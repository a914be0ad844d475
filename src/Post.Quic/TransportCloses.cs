using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary>
/// What it means that a transport, and not the application, closed a connection: by the codes of QUIC (RFC 9000 section 20.1, RFC 9001
/// section 4.8, RFC 9368 section 9.2), and the same for both engines. docs/protocol.md section 4.6 has the table.
/// </summary>
internal static class TransportCloses
{
    private const long NoError = 0x00;
    private const long InternalError = 0x01;
    private const long ConnectionRefused = 0x02;
    private const long InvalidToken = 0x0b;
    private const long ApplicationError = 0x0c;
    private const long AeadLimitReached = 0x0f;
    private const long NoViablePath = 0x10;
    private const long VersionNegotiationError = 0x11;
    private const long CryptoError = 0x100;
    private const long UserCanceled = CryptoError + 90;
    private const long NoApplicationProtocol = CryptoError + 120;

    public static TransportErrorReason ReasonOf(long transportErrorCode) => transportErrorCode switch
    {
        // Before the handshake is complete, an application's own code is hidden behind APPLICATION_ERROR (RFC 9000 section 10.2.3).
        NoError or ApplicationError => TransportErrorReason.ClosedByPeer,

        // A defect, or a cipher that has protected as much as it may (RFC 9001 section 6.6): another connection may work.
        InternalError or AeadLimitReached => TransportErrorReason.GaveUp,

        // A token that is stale when it arrives, or a handshake that msquic's application does not want: each says no to this attempt only.
        ConnectionRefused or InvalidToken or UserCanceled => TransportErrorReason.Refused,
        NoViablePath => TransportErrorReason.Unreachable,
        VersionNegotiationError or NoApplicationProtocol => TransportErrorReason.ProtocolNotSupported,
        >= CryptoError and < CryptoError + 256 => TransportErrorReason.AuthenticationFailed,
        _ => TransportErrorReason.ProtocolViolation,
    };
}
