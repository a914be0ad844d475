namespace Post.Quic.Engine.Wire;

/// <summary>
/// Error codes of CONNECTION_CLOSE and PATH_ABANDON (RFC 9000 section 20.1, RFC 9368 section 9.2, draft-ietf-quic-multipath
/// section 4.2.1).
/// </summary>
internal enum TransportErrorCode : ulong
{
    NoError = 0x00,
    InternalError = 0x01,
    ConnectionRefused = 0x02,
    FlowControlError = 0x03,
    StreamLimitError = 0x04,
    StreamStateError = 0x05,
    FinalSizeError = 0x06,
    FrameEncodingError = 0x07,
    TransportParameterError = 0x08,
    ConnectionIdLimitError = 0x09,
    ProtocolViolation = 0x0a,
    InvalidToken = 0x0b,
    ApplicationError = 0x0c,
    CryptoBufferExceeded = 0x0d,
    KeyUpdateError = 0x0e,
    AeadLimitReached = 0x0f,
    NoViablePath = 0x10,
    VersionNegotiationError = 0x11,

    /// <summary>For PATH_ABANDON: the application wants the path no more.</summary>
    ApplicationAbandonPath = 0x3e,

    /// <summary>CRYPTO_ERROR: this plus the TLS alert (RFC 9001 section 4.8).</summary>
    CryptoError = 0x100,

    /// <summary>For PATH_ABANDON: no resources for the path.</summary>
    PathResourceLimitReached = 0x3e75,

    /// <summary>For PATH_ABANDON: the path does not carry, or not well.</summary>
    PathUnstableOrPoor = 0x3e76,

    /// <summary>For PATH_ABANDON: no connection id for the path.</summary>
    NoConnectionIdAvailableForPath = 0x3e77,
}
