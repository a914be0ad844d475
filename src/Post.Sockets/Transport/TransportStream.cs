namespace Post.Sockets.Transport;

/// <summary>
/// One stream of a connection. At most one write and one read are under way at a time; everything else may be called at any
/// time and from any thread.
/// </summary>
public abstract class TransportStream : IAsyncDisposable
{
    /// <summary>A number that is unique on this connection and the same on both sides.</summary>
    public abstract long Id { get; }

    /// <summary>The kind.</summary>
    public abstract TransportStreamKind Kind { get; }

    /// <summary>True when this side opened it.</summary>
    public abstract bool IsLocal { get; }

    /// <summary>True when its first bytes came as early data, which an attacker may have replayed.</summary>
    public virtual bool IsEarlyData => false;

    /// <summary>
    /// When the last bytes of this stream reached the machine, as a timestamp of <see cref="PostTransport.TimeProvider"/>. Null where that is
    /// not known: the time of reading them is then the best guess.
    /// </summary>
    public virtual long? ArrivedAt => null;

    /// <summary>Whatever the user of the stream wants to find again in <see cref="TransportEvents"/>; the transport leaves it alone.</summary>
    public object? State { get; set; }

    /// <summary>Writes, and optionally ends, the stream.</summary>
    /// <param name="buffer">The bytes. They stay untouched and alive until the write completes; a transport may send from them directly.</param>
    /// <param name="endOfStream">True when nothing follows.</param>
    /// <param name="cancellationToken">
    /// Ends the wait; the stream is then reset, since how much of the buffer went out is unknown.
    /// </param>
    /// <returns>
    /// Completes when the buffer may be reused and the stream takes more: the source of back pressure
    /// (see <see cref="TransportCapabilities.WritesCompleteWhenSent"/>).
    /// </returns>
    /// <exception cref="TransportException">
    /// The connection ended, or the stream was part of early data that the server did not take
    /// (<see cref="TransportErrorReason.EarlyDataRejected"/>).
    /// </exception>
    public abstract ValueTask<TransportWriteResult> WriteAsync(
        ReadOnlyMemory<byte> buffer,
        bool endOfStream,
        CancellationToken cancellationToken);

    /// <summary>Reads what is there, or waits for the first byte. Flow-control credit is given for what was read, and for nothing else.</summary>
    /// <param name="buffer">Where to; not empty.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost and the stream can be read again.</param>
    /// <exception cref="TransportException">The connection ended.</exception>
    public abstract ValueTask<TransportReadResult> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Stops sending at once: nothing more is sent or sent again, and a write under way completes as stopped.</summary>
    /// <param name="errorCode">What the peer is told.</param>
    /// <param name="reliableSize">
    /// The first bytes that shall reach the peer even so, where the connection has
    /// <see cref="TransportCapabilities.ReliableReset"/>; ignored elsewhere.
    /// </param>
    public abstract void Reset(long errorCode, long reliableSize = 0);

    /// <summary>Asks the peer to stop sending; what it sent and is not read yet is thrown away, and a read under way
    /// completes as reset.</summary>
    /// <param name="errorCode">What the peer is told.</param>
    public abstract void StopReading(long errorCode);

    /// <summary>Changes the rank of what is still to be sent. No effect without <see cref="TransportCapabilities.Priorities"/>.</summary>
    /// <param name="priority">The new rank.</param>
    public abstract void SetPriority(in TransportPriority priority);

    /// <summary>
    /// Gives the stream back. Directions that are not finished, which those with a write under way are not, are reset or stopped with
    /// code 0; a finished send direction goes on being delivered.
    /// </summary>
    /// <returns>At once; it does not wait for the peer.</returns>
    public abstract ValueTask DisposeAsync();
}
