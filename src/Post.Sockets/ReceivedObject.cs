using System.Buffers;
using System.IO.Pipelines;

namespace Post.Sockets;

/// <summary>
/// A received object. Its memory is pooled: dispose it when done (a handler's object is disposed when the handler returns, unless
/// it called <see cref="Keep"/>).
/// </summary>
public abstract class ReceivedObject : IDisposable
{
    private protected ReceivedObject(long id) => Id = id;

    /// <summary>The number of the object at its sender.</summary>
    public long Id { get; }

    /// <summary>Its niceness; 0 is the most urgent.</summary>
    public abstract int Niceness { get; }

    /// <summary>What is left of its lifetime now, at least zero; <see cref="Timeout.InfiniteTimeSpan"/> for infinite.</summary>
    public abstract TimeSpan RemainingLifetime { get; }

    /// <summary>The application bytes sent with it; valid until disposal.</summary>
    public abstract ReadOnlyMemory<byte> Metadata { get; }

    /// <summary>
    /// What its sender calls the object in every association (<see cref="ObjectProperties.DurableId"/>), so that one that stopped half-way can
    /// go on after a restart; empty for nothing. Valid until disposal.
    /// </summary>
    public abstract ReadOnlyMemory<byte> DurableId { get; }

    /// <summary>
    /// A name under which to store what was received of an object with a <see cref="DurableId"/>: 64 hexadecimal digits, the same for the same id from
    /// the same peer, after any restart. It is a hash over the id and who the peer proved to be (the name that an authority vouches for, else
    /// its key), so that a peer cannot add to the object of another, and is safe as a file name. All peers that prove nothing share one scope: where
    /// that matters, ask for client certificates (<see cref="ListenerOptions.ClientTrust"/>). Null without a durable id.
    /// </summary>
    public abstract string? DurableKey { get; }

    /// <summary>Where in the object <see cref="Reader"/> begins: what <see cref="ResumeFrom"/> said, else 0. In bytes.</summary>
    public abstract long Offset { get; }

    /// <summary>
    /// The sender waits to hear from which offset on this side wants the object, since that has a <see cref="DurableId"/>: call
    /// <see cref="ResumeFrom"/>, or just read, which begins at 0.
    /// </summary>
    public abstract bool CanResume { get; }

    /// <summary>
    /// Has the object begin at an offset, since what comes before it is here from earlier. Only while <see cref="CanResume"/>: for an
    /// incremental object with a <see cref="DurableId"/>, once, and before it is read. <see cref="Reader"/> then brings what follows the offset,
    /// and its end is the object's. What does not become whole can go on likewise, in another association.
    /// </summary>
    /// <param name="offset">Bytes that are here, 0 to <see cref="Length"/>. The sender skips them.</param>
    /// <exception cref="InvalidOperationException">The object has no durable id, is read already, or was resumed before.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The offset is negative, or beyond <see cref="Length"/>.</exception>
    public abstract void ResumeFrom(long offset);

    /// <summary>True when it came as early (0-RTT) data: an attacker may have replayed it.</summary>
    public abstract bool IsEarlyData { get; }

    /// <summary>The path by which it came, where that is known.</summary>
    public abstract PostPath? Path { get; }

    /// <summary>True when its bytes are still arriving: read them from <see cref="Reader"/> or <see cref="AsStream"/>.</summary>
    public abstract bool IsIncremental { get; }

    /// <summary>Bytes of payload; null while unknown, which only an incremental object is.</summary>
    public abstract long? Length { get; }

    /// <summary>The bytes; valid until disposal.</summary>
    /// <exception cref="InvalidOperationException">The object is incremental.</exception>
    public abstract ReadOnlySequence<byte> Payload { get; }

    /// <summary>
    /// The bytes as they come. Works for whole objects too. Ends with a <see cref="PostException"/> when an incremental object
    /// expires or is canceled on its way.
    /// </summary>
    public abstract PipeReader Reader { get; }

    /// <summary>The bytes as a stream: <see cref="Reader"/> in another form.</summary>
    public Stream AsStream() => Reader.AsStream();

    /// <summary>The bytes as one array, copied.</summary>
    public byte[] ToArray() => Payload.ToArray();

    /// <summary>
    /// Tells the sender that the application has processed the object, where the association gives receipts after processing
    /// (<see cref="AssociationOptions.ReceiptLevel"/>). A handler that returns without an exception does so implicitly.
    /// </summary>
    public abstract void MarkProcessed();

    /// <summary>
    /// Rejects the object. The sender sees <see cref="ObjectOutcome.Rejected"/> if the receipt was
    /// still to be given: with receipts after processing, or while an incremental object is arriving.
    /// </summary>
    public abstract void Reject();

    /// <summary>Keeps the object alive beyond the return of the handler; the caller disposes it.</summary>
    /// <returns>This object.</returns>
    public abstract ReceivedObject Keep();

    /// <summary>Returns the memory. An incremental object that was not read to its end is rejected.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Returns the memory.</summary>
    /// <param name="disposing">Always true: there is no finalizer.</param>
    protected abstract void Dispose(bool disposing);
}
