using System.Net;

namespace Post.Sockets.Transport;

/// <content>Several paths at once. What a connection without <see cref="TransportCapabilities.Multipath"/> need not implement.</content>
public abstract partial class TransportConnection
{
    private const string OnePath =
        "This connection has one path only: one of the sides or its transport has no multipath. Association.Capabilities says what is possible.";

    /// <summary>Opens a further path, on the client, beside those that there are.</summary>
    /// <param name="localEndPoint">From which address; port 0 lets the system choose one.</param>
    /// <param name="remoteEndPoint">To which address of the peer; null: the one in use.</param>
    /// <param name="cancellationToken">Ends the wait; the path is then given up.</param>
    /// <returns>The path, once it is shown to reach the peer.</returns>
    /// <exception cref="TransportException">
    /// <see cref="TransportErrorReason.NotSupported"/> without <see cref="TransportCapabilities.Multipath"/> and on the side that accepted;
    /// <see cref="TransportErrorReason.LocalAddressUnavailable"/>; <see cref="TransportErrorReason.Refused"/> where the peer allows no further
    /// path now; <see cref="TransportErrorReason.Unreachable"/> where the path did not validate.
    /// </exception>
    public virtual ValueTask<PostPath> OpenPathAsync(IPEndPoint localEndPoint, IPEndPoint? remoteEndPoint, CancellationToken cancellationToken) =>
        ValueTask.FromException<PostPath>(new TransportException(TransportErrorReason.NotSupported, OnePath));

    /// <summary>Gives a path up: nothing is sent on it any more, on either side, and what it held goes by the others.</summary>
    /// <param name="pathId">Its <see cref="PostPath.Id"/>.</param>
    /// <param name="cancellationToken">Ends the wait; the path goes all the same.</param>
    /// <returns>When it is removed.</returns>
    /// <exception cref="TransportException">
    /// <see cref="TransportErrorReason.NotSupported"/> without <see cref="TransportCapabilities.Multipath"/>;
    /// <see cref="TransportErrorReason.Unreachable"/> where no other path works; <see cref="TransportErrorReason.PathNotFound"/>.
    /// </exception>
    public virtual ValueTask ClosePathAsync(long pathId, CancellationToken cancellationToken) =>
        ValueTask.FromException(new TransportException(TransportErrorReason.NotSupported, OnePath));

    /// <summary>Says how a path is to be used; the peer is told. A path that is gone is left alone.</summary>
    /// <param name="pathId">Its <see cref="PostPath.Id"/>.</param>
    /// <param name="status">How this side wants it to be used.</param>
    /// <exception cref="TransportException">
    /// <see cref="TransportErrorReason.NotSupported"/> without <see cref="TransportCapabilities.Multipath"/>.
    /// </exception>
    public virtual void SetPathStatus(long pathId, TransportPathStatus status) =>
        throw new TransportException(TransportErrorReason.NotSupported, OnePath);
}
