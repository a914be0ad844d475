using System.Net;

namespace Post.Sockets.Transport;

/// <summary>One connection: streams, datagrams, paths, the peer's identity. All members may be called from any thread.</summary>
public abstract partial class TransportConnection : IAsyncDisposable
{
    /// <summary>What this connection can do, as agreed with the peer.</summary>
    public abstract TransportCapabilities Capabilities { get; }

    /// <summary>True on the side that connected.</summary>
    public abstract bool IsClient { get; }

    /// <summary>
    /// Who the peer proved to be; <see cref="PeerIdentity.Anonymous"/> for a client without certificate, and before the
    /// handshake is complete. With early data it is until then the identity that was proven when the session was made: no other peer
    /// can read what is sent or have written what came, but an attacker may have replayed the latter.
    /// </summary>
    public abstract PeerIdentity Peer { get; }

    /// <summary>Our address on the main path, as last known.</summary>
    public abstract EndPoint? LocalEndPoint { get; }

    /// <summary>The peer's address on the main path, as last known.</summary>
    public abstract EndPoint? RemoteEndPoint { get; }

    /// <summary>False while only early data can be sent.</summary>
    public virtual bool IsHandshakeCompleted => true;

    /// <summary>True when the session was resumed: the identity is the one validated when the session was made.</summary>
    public virtual bool IsResumed => false;

    /// <summary>The largest datagram that fits now; 0 without <see cref="TransportCapabilities.Datagrams"/>.</summary>
    public abstract int MaxDatagramSize { get; }

    /// <summary>
    /// Begins to push events; called once, before any other use. Events from before are pushed during or right after the call.
    /// </summary>
    /// <param name="events">Who listens.</param>
    public abstract void Start(TransportEvents events);

    /// <summary>Opens a stream if that needs no waiting: the quick way for many small objects.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="priority">Its rank.</param>
    /// <returns>The stream, or null: the peer's limit on streams is reached, or the transport can only open with a wait.</returns>
    /// <exception cref="TransportException">The connection ended.</exception>
    public abstract TransportStream? TryOpenStream(TransportStreamKind kind, in TransportPriority priority);

    /// <summary>Opens a stream, waiting for the peer's permission where needed.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="priority">Its rank.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TransportException">The connection ended.</exception>
    public abstract ValueTask<TransportStream> OpenStreamAsync(
        TransportStreamKind kind,
        TransportPriority priority,
        CancellationToken cancellationToken);

    /// <summary>
    /// Opens the next unidirectional stream, writes two parts to it and ends it, in one call and without a wait. Nothing of the parts is used
    /// after the call. Only with <see cref="TransportCapabilities.WholeStreams"/>.
    /// </summary>
    /// <param name="first">The first bytes.</param>
    /// <param name="second">The bytes that follow; may be empty.</param>
    /// <param name="priority">The rank of the stream.</param>
    /// <param name="token">
    /// A number of the caller's, which no other stream of this connection has that was sent so: repeated in
    /// <see cref="TransportEvents.OnStreamSent"/>, <see cref="TransportEvents.OnSentStreamAcknowledged"/> and
    /// <see cref="TransportEvents.OnSentStreamStopped"/>.
    /// </param>
    /// <returns>Whether the stream was taken; nothing was done unless <see cref="TransportSendResult.Queued"/>.</returns>
    public virtual TransportSendResult TrySendStream(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, in TransportPriority priority, long token) => TransportSendResult.Unavailable;

    /// <summary>
    /// Resets a stream that <see cref="TrySendStream"/> sent. No effect when all of it was acknowledged, when it was reset before, or when the
    /// token is unknown.
    /// </summary>
    /// <param name="token">The number given to <see cref="TrySendStream"/>.</param>
    /// <param name="errorCode">What the peer is told.</param>
    /// <param name="reliableSize">
    /// The first bytes that shall reach the peer even so, where the connection has <see cref="TransportCapabilities.ReliableReset"/>; ignored
    /// elsewhere.
    /// </param>
    public virtual void ResetSentStream(long token, long errorCode, long reliableSize = 0)
    {
    }

    /// <summary>
    /// Waits for the next stream that the peer opened. One call at a time. A transport that raises
    /// <see cref="TransportEvents.OnStreamAccepted"/> does not implement it.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TransportException">
    /// The connection ended, or it raises <see cref="TransportEvents.OnStreamAccepted"/> instead (<see cref="TransportErrorReason.NotSupported"/>).
    /// </exception>
    public virtual ValueTask<TransportStream> AcceptStreamAsync(CancellationToken cancellationToken) =>
        ValueTask.FromException<TransportStream>(new TransportException(
            TransportErrorReason.NotSupported, "This connection raises an event for each stream that the peer opens."));

    /// <summary>Hands over a datagram.</summary>
    /// <param name="payload">Its bytes, copied before the call returns.</param>
    /// <param name="priority">Its rank; with a deadline, it is dropped (canceled) when that passes before it is sent.</param>
    /// <param name="token">A number of the caller's, repeated in <see cref="TransportEvents.OnDatagramState"/>.</param>
    public abstract TransportDatagramResult TrySendDatagram(ReadOnlySpan<byte> payload, in TransportPriority priority, long token);

    /// <summary>The measurements, taken now.</summary>
    public abstract TransportStatistics GetStatistics();

    /// <summary>The paths as they are now; at least one while connected. Without <see cref="TransportCapabilities.Paths"/>, what is known of it.</summary>
    public abstract IReadOnlyList<PostPath> GetPaths();

    /// <summary>Moves the connection to another local address, on the client.</summary>
    /// <param name="localEndPoint">The new address; null lets the system choose a fresh port.</param>
    /// <param name="cancellationToken">Ends the wait for the new path's validation; the old path then stays.</param>
    /// <returns>When the new path is validated and in use.</returns>
    /// <exception cref="TransportException">
    /// <see cref="TransportErrorReason.NotSupported"/> without <see cref="TransportCapabilities.Migration"/>, or the path did not
    /// validate.
    /// </exception>
    public virtual ValueTask MigrateAsync(IPEndPoint? localEndPoint, CancellationToken cancellationToken) =>
        ValueTask.FromException(new TransportException(
            TransportErrorReason.NotSupported,
            "This connection cannot be moved from this side. The managed engine moves clients on every platform; Association.Capabilities says what is possible."));

    /// <summary>
    /// Closes. Bytes written and not yet delivered may be lost: wait for their acknowledgement first where they must be delivered.
    /// </summary>
    /// <param name="errorCode">What the peer is told.</param>
    /// <param name="reason">A short text for its log.</param>
    /// <param name="cancellationToken">Ends the wait, not the close.</param>
    /// <returns>When the close was sent.</returns>
    public abstract ValueTask CloseAsync(long errorCode, string reason, CancellationToken cancellationToken);

    /// <summary>Closes with code 0 unless closed already, and releases everything.</summary>
    /// <returns>When all is released.</returns>
    public abstract ValueTask DisposeAsync();
}
