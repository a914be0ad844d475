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

    /// <summary>
    /// Whether the failure of a stream concerns it alone, so that the connection goes on: the peer or this side broke it off, or it was
    /// given back. Where the connection was closed on this side, its streams fail in the same way.
    /// </summary>
    public static bool IsStreamFailure(Exception exception) =>
        exception is QuicException { QuicError: QuicError.StreamAborted or QuicError.OperationAborted } or ObjectDisposedException;

    /// <summary>The peer's code; 0 where it was not the peer.</summary>
    public static long CodeOf(Exception exception) => (exception as QuicException)?.ApplicationErrorCode ?? 0;

    /// <summary>Translates a failure from before there was a connection.</summary>
    public static TransportException Translate(Exception exception) => Translate(exception, isConnected: false);

    public static TransportException Translate(Exception exception, bool isConnected) => exception switch
    {
        QuicException quic => Translate(quic, isConnected),
        AuthenticationException authentication => new TransportException(
            TransportErrorReason.AuthenticationFailed,
            $"The peer's identity was not proven, or ours was not accepted: {authentication.Message} "
            + "Check the Remote's trust and the certificates of both sides.",
            innerException: authentication),
        _ => PlatformErrors.Translate(exception),
    };

    private static TransportException Translate(QuicException exception, bool isConnected)
    {
        (TransportErrorReason reason, string message) = exception.QuicError switch
        {
            QuicError.ConnectionAborted => (
                TransportErrorReason.ClosedByPeer,
                $"The peer closed the connection with error code {exception.ApplicationErrorCode}."),
            QuicError.ConnectionTimeout when isConnected => (
                TransportErrorReason.TimedOut,
                "The peer acknowledged nothing for so long that the connection was given up. Check the network between the two."),
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
            QuicError.TransportError when exception.TransportErrorCode is { } code => OfTransportClose(code, exception.Message),
            QuicError.TransportError => (
                TransportErrorReason.ProtocolViolation, $"One of the sides broke the QUIC protocol: {exception.Message}"),

            // Its own, or the INTERNAL_ERROR of the peer: System.Net.Quic does not tell them apart, and leaves the code away.
            QuicError.InternalError => (
                TransportErrorReason.GaveUp,
                $"The transport of one of the sides gave the connection up: {exception.Message} Another connection may do."),
            _ => (TransportErrorReason.Other, exception.Message),
        };

        return new TransportException(reason, message, exception.ApplicationErrorCode, exception);
    }

    private static (TransportErrorReason Reason, string Message) OfTransportClose(long code, string told)
    {
        TransportErrorReason reason = TransportCloses.ReasonOf(code);
        return (reason, reason switch
        {
            TransportErrorReason.ClosedByPeer => "The peer closed the connection and gave no error code.",
            TransportErrorReason.GaveUp =>
                $"The transport of one of the sides gave the connection up (QUIC error code {code}): {told} Another connection may do.",
            TransportErrorReason.Refused => $"The peer refused the connection (QUIC error code {code}).",
            TransportErrorReason.Unreachable => $"No way to the peer is left: {told} Connect again.",
            TransportErrorReason.ProtocolNotSupported => "The two sides share no application protocol (ALPN) or no version of QUIC.",
            TransportErrorReason.AuthenticationFailed =>
                $"The TLS handshake failed: {told} Check the certificates and the trust of both sides.",
            _ => $"One of the sides broke the QUIC protocol (QUIC error code {code}): {told}",
        });
    }
}
