namespace Post.Sockets;

/// <summary>
/// The handle of a sent object: shows its progress, cancels it, and completes with its receipt:
/// <c>var receipt = await association.Send(bytes).Completion;</c> All members may be called from any thread.
/// </summary>
public abstract class SentObject
{
    private protected SentObject(long id, ObjectProperties properties)
    {
        Id = id;
        Properties = properties;
    }

    /// <summary>The number of the object: per direction of the association, counting up.</summary>
    public long Id { get; }

    /// <summary>How it was sent.</summary>
    public ObjectProperties Properties { get; }

    /// <summary>Its progress.</summary>
    public abstract SentObjectState State { get; }

    /// <summary>What became of it; null before that.</summary>
    public abstract Receipt? Receipt { get; }

    /// <summary>
    /// Completes with the receipt, and never fails: expiry is an ordinary outcome. <see cref="Sockets.Receipt.EnsureAcked"/> turns
    /// anything but a delivery into an exception.
    /// </summary>
    public abstract Task<Receipt> Completion { get; }

    /// <summary>
    /// How far into its payload the object has been handed to the transport, in bytes. Where the receiver says what it has already, it
    /// goes on from there; when a connection is lost, it falls back to that.
    /// </summary>
    public abstract long BytesSent { get; }

    /// <summary>
    /// Where the receiver's application had the object begin (<see cref="ReceivedObject.ResumeFrom"/>), in bytes: what it had from earlier
    /// associations. 0 before it has said so, and for an object without <see cref="ObjectProperties.DurableId"/>.
    /// </summary>
    public abstract long Offset { get; }

    /// <summary>Bytes of payload; null while unknown.</summary>
    public abstract long? Length { get; }

    /// <summary>
    /// Cancels the object: its outcome is <see cref="ObjectOutcome.Canceled"/>, and what was not sent yet is not sent. The receiver may have delivered it
    /// already.
    /// </summary>
    /// <returns>False when it was complete already.</returns>
    public abstract bool Cancel();

    /// <summary>Changes the niceness of what is still to be sent.</summary>
    /// <param name="niceness">The new niceness; urgency inherited from dependents stays.</param>
    public abstract void Reprioritize(int niceness);

    /// <summary>Waits until the object has come at least so far.</summary>
    /// <param name="state">The state; <see cref="SentObjectState.Sent"/> also means that the caller's memory is not needed any more
    /// once the object ended or the transport acknowledged it.</param>
    /// <param name="cancellationToken">Ends the wait, not the object.</param>
    public abstract Task WaitForAsync(SentObjectState state, CancellationToken cancellationToken = default);
}
