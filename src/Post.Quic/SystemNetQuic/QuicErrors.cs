using System.Net.Quic;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Authentication;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic;

/// <summary>Translates the exceptions of System.Net.Quic into those of the seam.</summary>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal static class QuicErrors
{
    /// <summary>
    /// Whether it is one of those by which System.Net.Quic says that a connection failed: the peer's TLS alert comes as an
    /// <see cref="AuthenticationException"/>, to streams and connections alike.
    /// </summary>
    public static bool IsFailure(Exception exception) =>
        exception is QuicException or ObjectDisposedException or AuthenticationException or SocketException;

    /// <summary>Whether the failure concerns one stream, so that the connection goes on.</summary>
    public static bool IsStreamFailure(QuicException exception) =>
        exception.QuicError is QuicError.StreamAborted or QuicError.OperationAborted;

    public static TransportException Translate(Exception exception) => exception switch
    {
        TransportException already => already,
        QuicException quic => Translate(quic),
        AuthenticationException authentication => new TransportException(
            TransportErrorReason.AuthenticationFailed,
            $"The peer's identity was not proven, or ours was not accepted: {authentication.Message} "
            + "Check the Remote's trust and the certificates of both sides.",
            innerException: authentication),
        SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse or SocketError.AccessDenied or SocketError.AddressNotAvailable } socket =>
            new TransportException(
                TransportErrorReason.LocalAddressUnavailable,
                $"The local address cannot be used: {socket.Message}. Choose another address or port, or 0 for a free one.",
                innerException: socket),
        SocketException socket => new TransportException(
            TransportErrorReason.Unreachable, $"The remote cannot be reached: {socket.Message}.", innerException: socket),
        ObjectDisposedException disposed => new TransportException(
            TransportErrorReason.ClosedLocally, "The connection was closed on this side.", innerException: disposed),
        _ => new TransportException(TransportErrorReason.Other, exception.Message, innerException: exception),
    };

    private static TransportException Translate(QuicException exception)
    {
        (TransportErrorReason reason, string message) = exception.QuicError switch
        {
            QuicError.ConnectionAborted => (
                TransportErrorReason.ClosedByPeer,
                $"The peer closed the connection with error code {exception.ApplicationErrorCode}."),
            QuicError.ConnectionTimeout => (
                TransportErrorReason.TimedOut,
                "The handshake did not finish in time. Check that the peer listens and that UDP reaches it."),
            QuicError.ConnectionIdle => (
                TransportErrorReason.TimedOut,
                "Nothing came from the peer for the whole idle timeout; a keep-alive interval prevents that where the peer lives."),
            QuicError.ConnectionRefused => (TransportErrorReason.Refused, "The peer refused the connection."),
            QuicError.VersionNegotiationError => (
                TransportErrorReason.ProtocolNotSupported, "The two sides share no version of QUIC."),
            QuicError.AlpnInUse => (
                TransportErrorReason.LocalAddressUnavailable,
                "Another listener of this process serves the same protocol on the same port; choose another port."),
            QuicError.OperationAborted => (TransportErrorReason.ClosedLocally, "The connection was closed on this side."),
            QuicError.TransportError when IsNoCommonProtocol(exception) => (
                TransportErrorReason.ProtocolNotSupported, "The two sides share no application protocol (ALPN)."),
            QuicError.TransportError when IsCryptoError(exception) => (
                TransportErrorReason.AuthenticationFailed,
                $"The TLS handshake failed: {exception.Message} Check the certificates and the trust of both sides."),
            QuicError.TransportError => (
                TransportErrorReason.ProtocolViolation, $"One of the sides broke the QUIC protocol: {exception.Message}"),
            _ => (TransportErrorReason.Other, exception.Message),
        };

        return new TransportException(reason, message, exception.ApplicationErrorCode, exception);
    }

    // RFC 9001 section 4.8: 0x100 plus the alert; no_application_protocol is 120.
    private static bool IsNoCommonProtocol(QuicException exception) => exception.TransportErrorCode == 0x100 + 120;

    private static bool IsCryptoError(QuicException exception) => exception.TransportErrorCode is >= 0x100 and < 0x200;
}
