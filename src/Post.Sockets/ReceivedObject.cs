using System.Buffers;
using System.IO.Pipelines;

namespace Post.Sockets;

/// <summary>
/// An object that came. Its memory is pooled: dispose it when done (a handler's object is disposed when the handler returns, unless
/// it called <see cref="Keep"/>).
/// </summary>
public abstract class ReceivedObject : IDisposable
{
    private protected ReceivedObject(long id) => Id = id;

    /// <summary>The number of the object at its sender.</summary>
    public long Id { get; }

    /// <summary>How much it yields; 0 is the most urgent.</summary>
    public abstract int Niceness { get; }

    /// <summary>What is left of its lifetime now, at least zero; <see cref="Timeout.InfiniteTimeSpan"/> for infinite.</summary>
    public abstract TimeSpan RemainingLifetime { get; }

    /// <summary>The application bytes sent with it; valid until disposal.</summary>
    public abstract ReadOnlyMemory<byte> Metadata { get; }

    /// <summary>True when it came as early (0-RTT) data: an attacker may have replayed it.</summary>
    public abstract bool IsEarlyData { get; }

    /// <summary>The path it came by, where known.</summary>
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
    /// Says that the application has dealt with the object, where the association gives receipts after processing
    /// (<see cref="AssociationOptions.ReceiptLevel"/>). A handler that returns without an exception says it by that.
    /// </summary>
    public abstract void MarkProcessed();

    /// <summary>
    /// Says that the application does not want the object. The sender sees <see cref="ObjectEnd.Rejected"/> if the receipt was
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
