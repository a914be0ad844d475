namespace Post.Sockets.Transport;

/// <summary>A transport could not do what it was asked; <see cref="Reason"/> says why in a form that code can act on.</summary>
public sealed class TransportException : IOException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="reason">The kind of failure.</param>
    /// <param name="message">What happened and what to do about it.</param>
    /// <param name="errorCode">The peer's (or our own) application error code, where there is one.</param>
    /// <param name="innerException">The transport's own exception.</param>
    public TransportException(
        TransportErrorReason reason,
        string message,
        long? errorCode = null,
        Exception? innerException = null)
        : base(message, innerException)
    {
        Reason = reason;
        ErrorCode = errorCode;
    }

    /// <summary>The kind of failure.</summary>
    public TransportErrorReason Reason { get; }

    /// <summary>The application error code that came with it, where there is one.</summary>
    public long? ErrorCode { get; }
}
