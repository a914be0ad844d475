namespace Post.Quic.Engine;

/// <summary>What went wrong, in a form that code can act on.</summary>
public enum QuicError
{
    /// <summary>A defect of this library; please report it with the message.</summary>
    InternalError,

    /// <summary>The peer closed the connection; <see cref="QuicException.ApplicationErrorCode"/> is its code.</summary>
    ConnectionAborted,

    /// <summary>The peer reset the stream, or asked to stop it; <see cref="QuicException.ApplicationErrorCode"/> is its code.</summary>
    StreamAborted,

    /// <summary>The handshake did not finish within the handshake timeout.</summary>
    ConnectionTimeout,

    /// <summary>Nothing came from the peer for the idle timeout.</summary>
    ConnectionIdle,

    /// <summary>The server refused the connection.</summary>
    ConnectionRefused,

    /// <summary>The two sides share no version of QUIC.</summary>
    VersionNegotiationError,

    /// <summary>
    /// The TLS handshake failed; <see cref="QuicException.TransportErrorCode"/> is 0x100 plus the alert. Where a certificate was at fault, it
    /// was the peer's.
    /// </summary>
    AuthenticationFailed,

    /// <summary>
    /// The peer did not accept our certificate, or wanted one and got none; <see cref="QuicException.TransportErrorCode"/> is 0x100 plus its
    /// alert.
    /// </summary>
    CertificateRefused,

    /// <summary>
    /// One side's QUIC ended the connection with an error of its own; <see cref="QuicException.TransportErrorCode"/> says which: mostly that
    /// the protocol was broken, or, with 1, that the peer's implementation has a defect.
    /// </summary>
    TransportError,

    /// <summary>The peer has lost the connection's state (stateless reset).</summary>
    ConnectionReset,

    /// <summary>
    /// The machine or the network says that the peer cannot be reached: no route, nothing that listens on the port, an address that no host
    /// has. The inner <see cref="System.Net.Sockets.SocketException"/> says which.
    /// </summary>
    Unreachable,

    /// <summary>No way to the peer is left.</summary>
    NoViablePath,

    /// <summary>The operation was given up on this side: the connection was closed or the stream aborted here.</summary>
    OperationAborted,

    /// <summary>The server rejected early data: what this stream carried was not received. Open a new one and send it again.</summary>
    EarlyDataRejected,

    /// <summary>
    /// There is one path only: both sides must set <see cref="QuicConnectionOptions.MaxPaths"/> above 1 (or what the peer has for it).
    /// </summary>
    MultipathNotNegotiated,

    /// <summary>One of the two sides allows no further path at the moment. Close one first.</summary>
    PathLimitReached,

    /// <summary>The peer has given no connection id for a further path. Try again later.</summary>
    NoPathConnectionId,

    /// <summary>The server asks its clients not to open paths to the address that they connected to (disable_active_migration).</summary>
    PathForbidden,

    /// <summary>The peer does not answer on the path, or gave it up before it did. The connection goes on over the others.</summary>
    PathNotValidated,

    /// <summary>There is no such path, or none any more.</summary>
    PathNotFound,
}
