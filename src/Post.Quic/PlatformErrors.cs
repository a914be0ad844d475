using System.Net.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic;

/// <summary>Translates what both engines let through of the platform: the errors of sockets and name servers, and disposed objects.</summary>
internal static class PlatformErrors
{
    /// <summary>Translates an exception that is no engine's own.</summary>
    public static TransportException Translate(Exception exception)
    {
        if (exception is TransportException already)
        {
            return already;
        }

        (TransportErrorReason reason, string message) = exception switch
        {
            SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse or SocketError.AccessDenied or SocketError.AddressNotAvailable } =>
                (
                    TransportErrorReason.LocalAddressUnavailable,
                    $"The local address cannot be used: {exception.Message}. Choose another address or port, or 0 for a free one."),
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain or SocketError.NoRecovery } =>
                (TransportErrorReason.HostNotFound, $"The name leads to no address: {exception.Message}."),
            SocketException => (TransportErrorReason.Unreachable, $"The remote cannot be reached: {exception.Message}."),
            ObjectDisposedException => (TransportErrorReason.ClosedLocally, "The connection was closed on this side."),
            _ => (TransportErrorReason.Other, exception.Message),
        };
        return new TransportException(reason, message, innerException: exception);
    }
}
