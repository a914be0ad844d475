namespace Post.Sockets;

/// <summary>What became of a sent object.</summary>
public sealed class Receipt
{
    internal Receipt(SentObject sentObject, ObjectOutcome outcome, ObjectOutcomeReason reason, PostException? error, TimeSpan elapsed)
    {
        Object = sentObject;
        Outcome = outcome;
        Reason = reason;
        Error = error;
        Elapsed = elapsed;
    }

    /// <summary>The object.</summary>
    public SentObject Object { get; }

    /// <summary>What became of it.</summary>
    public ObjectOutcome Outcome { get; }

    /// <summary>Why.</summary>
    public ObjectOutcomeReason Reason { get; }

    /// <summary>The error behind it, with <see cref="ObjectOutcome.Failed"/> and <see cref="ObjectOutcome.Rejected"/>; else null.</summary>
    public PostException? Error { get; }

    /// <summary>The time from <c>Send</c> to the outcome, by the local clock.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>True when the receiver handed the object to its application.</summary>
    public bool IsAcked => Outcome == ObjectOutcome.Acked;

    /// <summary>Throws unless the object was delivered.</summary>
    /// <returns>This receipt.</returns>
    /// <exception cref="PostException">It was not; the message says why.</exception>
    public Receipt EnsureAcked() => IsAcked ? this : throw ToException();

    /// <summary>The outcome and its reason.</summary>
    public override string ToString() => $"{Outcome} ({Reason})";

    private PostException ToException() => Outcome switch
    {
        ObjectOutcome.Expired => new PostException(
            PostErrorReason.ObjectExpired,
            $"Object {Object.Id} expired ({Reason}) after {Elapsed}. Give it a longer lifetime or a smaller niceness, or send less."),
        ObjectOutcome.Rejected => new PostException(PostErrorReason.ObjectRejected, Error!.Message, Error),
        ObjectOutcome.Canceled => new PostException(PostErrorReason.ObjectCanceled, $"Object {Object.Id} was canceled."),
        _ => new PostException(
            Error?.Reason ?? PostErrorReason.AssociationEnded, $"Object {Object.Id} failed: {Error?.Message}", Error),
    };
}
