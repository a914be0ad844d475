namespace Post.Quic.Engine.Wire;

/// <summary>
/// What is wrong with something the peer sent, or nothing (<c>default</c>). Returned instead of thrown: bytes from
/// the network never cost an exception.
/// </summary>
internal readonly record struct TransportError
{
    private readonly string? _reason;

    public TransportError(TransportErrorCode code, string reason, ulong frameType = 0)
    {
        Code = code;
        _reason = reason;
        FrameType = frameType;
    }

    public static TransportError None => default;

    public TransportErrorCode Code { get; }

    /// <summary>The frame that caused it, for CONNECTION_CLOSE; 0 where no frame did.</summary>
    public ulong FrameType { get; }

    /// <summary>A constant phrase for the peer's log and ours; it never holds bytes the peer chose.</summary>
    public string Reason => _reason ?? string.Empty;

    public bool IsError => _reason is not null;

    /// <summary>The error as the frame that caused it; an error that already names one keeps it.</summary>
    public TransportError InFrame(ulong frameType) =>
        IsError && FrameType == 0 ? new TransportError(Code, Reason, frameType) : this;

    /// <summary>RFC 9001 section 4.8: a TLS alert as a CRYPTO_ERROR.</summary>
    public static TransportError FromAlert(byte alert, string reason) =>
        new((TransportErrorCode)((ulong)TransportErrorCode.CryptoError + alert), reason);

    public override string ToString() => IsError ? $"{Code} (0x{(ulong)Code:x}): {Reason}" : "none";
}
