namespace Post.Sockets.Transport;

/// <summary>
/// The outcome of one read. That the peer reset its stream is an ordinary outcome for Post (an object expired), so it is a
/// value and not an exception.
/// </summary>
public readonly record struct TransportReadResult
{
    private readonly long _resetCode;

    private TransportReadResult(int count, bool isCompleted, bool isReset, long resetCode)
    {
        Count = count;
        IsCompleted = isCompleted;
        IsReset = isReset;
        _resetCode = resetCode;
    }

    /// <summary>Bytes written into the buffer. Zero only together with <see cref="IsCompleted"/> or <see cref="IsReset"/>.</summary>
    public int Count { get; }

    /// <summary>The peer finished the stream and these are its last bytes. A transport says so with the last bytes where it can.</summary>
    public bool IsCompleted { get; }

    /// <summary>The peer reset the stream; nothing more comes.</summary>
    public bool IsReset { get; }

    /// <summary>The peer's code for the reset; 0 unless <see cref="IsReset"/>.</summary>
    public long ResetCode => _resetCode;

    /// <summary>Bytes, with more to come.</summary>
    /// <param name="count">How many; at least one.</param>
    public static TransportReadResult Data(int count) => new(count, false, false, 0);

    /// <summary>The last bytes.</summary>
    /// <param name="count">How many; may be zero.</param>
    public static TransportReadResult Completed(int count) => new(count, true, false, 0);

    /// <summary>The peer reset the stream.</summary>
    /// <param name="code">Its error code.</param>
    public static TransportReadResult Reset(long code) => new(0, false, true, code);
}
