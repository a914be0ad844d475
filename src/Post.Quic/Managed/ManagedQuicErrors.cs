using System.Net.Sockets;
using Post.Quic.Engine;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>Translates the exceptions of the managed engine into those of the seam.</summary>
internal static class ManagedQuicErrors
{
    /// <summary>Whether the failure concerns one stream, so that the connection goes on.</summary>
    public static bool IsStreamFailure(QuicException exception) =>
        exception.QuicError is QuicError.StreamAborted;

    public static TransportException Translate(Exception exception) => exception is QuicException quic
        ? new TransportException(ReasonOf(quic), quic.Message, quic.ApplicationErrorCode, quic)
        : PlatformErrors.Translate(exception);

    private static TransportErrorReason ReasonOf(QuicException exception) => exception.QuicError switch
    {
        QuicError.ConnectionAborted => TransportErrorReason.ClosedByPeer,
        QuicError.ConnectionTimeout or QuicError.ConnectionIdle => TransportErrorReason.TimedOut,
        QuicError.ConnectionRefused => TransportErrorReason.Refused,
        QuicError.VersionNegotiationError => TransportErrorReason.ProtocolNotSupported,
        QuicError.AuthenticationFailed or QuicError.TransportError when exception.TransportErrorCode is { } code =>
            TransportCloses.ReasonOf(code),
        QuicError.CertificateRefused => TransportErrorReason.IdentityRefused,
        QuicError.AuthenticationFailed => TransportErrorReason.AuthenticationFailed,
        QuicError.EarlyDataRejected => TransportErrorReason.EarlyDataRejected,
        QuicError.TransportError => TransportErrorReason.ProtocolViolation,
        QuicError.InternalError => TransportErrorReason.GaveUp,
        QuicError.ConnectionReset => TransportErrorReason.ConnectionReset,
        QuicError.Unreachable when exception.InnerException is SocketException { SocketErrorCode: SocketError.AddressNotAvailable } =>
            TransportErrorReason.LocalAddressUnavailable,
        QuicError.MultipathNotNegotiated => TransportErrorReason.NotSupported,
        QuicError.PathLimitReached or QuicError.NoPathConnectionId or QuicError.PathForbidden => TransportErrorReason.Refused,
        QuicError.PathNotFound => TransportErrorReason.PathNotFound,
        QuicError.Unreachable or QuicError.NoViablePath or QuicError.PathNotValidated => TransportErrorReason.Unreachable,
        QuicError.OperationAborted => TransportErrorReason.ClosedLocally,
        _ => TransportErrorReason.Other,
    };
}
