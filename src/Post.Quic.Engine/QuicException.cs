namespace Post.Quic.Engine;

/// <summary>A QUIC operation failed; <see cref="QuicError"/> says how.</summary>
public sealed class QuicException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="error">What went wrong.</param>
    /// <param name="applicationErrorCode">The application's error code, where one came with it.</param>
    /// <param name="transportErrorCode">QUIC's error code, where one came with it.</param>
    /// <param name="message">What happened, and what to do about it.</param>
    /// <param name="innerException">What caused it, where that is an exception: of the machine, or of a callback of the application.</param>
    public QuicException(
        QuicError error, long? applicationErrorCode, long? transportErrorCode, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        QuicError = error;
        ApplicationErrorCode = applicationErrorCode;
        TransportErrorCode = transportErrorCode;
    }

    /// <summary>What went wrong.</summary>
    public QuicError QuicError { get; }

    /// <summary>The code that an application closed the connection or aborted the stream with.</summary>
    public long? ApplicationErrorCode { get; }

    /// <summary>QUIC's own error code (RFC 9000 section 20.1).</summary>
    public long? TransportErrorCode { get; }
}
