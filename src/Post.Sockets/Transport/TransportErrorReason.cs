namespace Post.Sockets.Transport;

/// <summary>Why a transport operation or a whole connection failed.</summary>
public enum TransportErrorReason
{
    /// <summary>Something that has no name here; the inner exception tells.</summary>
    Other,

    /// <summary>The name of the host leads to no address.</summary>
    HostNotFound,

    /// <summary>There was no answer, or the address does not exist.</summary>
    Unreachable,

    /// <summary>The peer, or a limit of its transport, refused the connection.</summary>
    Refused,

    /// <summary>The two sides share no protocol (ALPN) or version.</summary>
    ProtocolNotSupported,

    /// <summary>The identity of the peer was not proven.</summary>
    AuthenticationFailed,

    /// <summary>Our identity was not accepted, or the peer wanted one and got none.</summary>
    IdentityRefused,

    /// <summary>The handshake or the connection timed out.</summary>
    TimedOut,

    /// <summary>
    /// The peer closed the connection; <see cref="TransportException.ErrorCode"/> is its application's code, null where it gave none.
    /// </summary>
    ClosedByPeer,

    /// <summary>The connection was closed on this side.</summary>
    ClosedLocally,

    /// <summary>The peer lost its state and reset the connection.</summary>
    ConnectionReset,

    /// <summary>
    /// The transport of one of the sides could not carry the connection on, for a reason of its own: a defect, or a cipher that has protected
    /// as much as it may. Another connection may work.
    /// </summary>
    GaveUp,

    /// <summary>
    /// The server did not take the early data that a stream was part of; the connection goes on. To send the bytes, open
    /// another stream.
    /// </summary>
    EarlyDataRejected,

    /// <summary>One of the sides broke the transport's protocol.</summary>
    ProtocolViolation,

    /// <summary>The local address cannot be used (in use, not ours, no permission).</summary>
    LocalAddressUnavailable,

    /// <summary>There is no path of that number any more.</summary>
    PathNotFound,

    /// <summary>This transport cannot do that; see its <see cref="TransportCapabilities"/>.</summary>
    NotSupported,
}
