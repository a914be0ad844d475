using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Seam;

/// <summary>Hands the events of a guarded connection on, with the streams that its user knows.</summary>
internal sealed class GuardedEvents(TransportEvents inner, SeamGuard guard) : TransportEvents
{
    public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt) => inner.OnDatagramReceived(payload, isEarlyData, arrivedAt);

    public override void OnDatagramState(long token, TransportDatagramState state) => inner.OnDatagramState(token, state);

    public override void OnMaxDatagramSizeChanged(int maxDatagramSize) => inner.OnMaxDatagramSizeChanged(maxDatagramSize);

    public override void OnStreamAccepted(TransportStream stream) => inner.OnStreamAccepted(GuardedStream.Of(stream, guard));

    public override bool OnStreamReceived(long streamId, ReadOnlySpan<byte> bytes, bool isEarlyData, long arrivedAt) =>
        inner.OnStreamReceived(streamId, bytes, isEarlyData, arrivedAt);

    public override void OnStreamSent(long token) => inner.OnStreamSent(token);

    public override void OnSentStreamAcknowledged(long token) => inner.OnSentStreamAcknowledged(token);

    public override void OnSentStreamStopped(long token, long errorCode) => inner.OnSentStreamStopped(token, errorCode);

    public override void OnEventsDrained() => inner.OnEventsDrained();

    public override void OnStreamAcknowledged(TransportStream stream) => inner.OnStreamAcknowledged(GuardedStream.Of(stream, guard));

    public override void OnStreamStopped(TransportStream stream, long errorCode) =>
        inner.OnStreamStopped(GuardedStream.Of(stream, guard), errorCode);

    public override void OnPathChanged(PostPath path, PostPathChange change) => inner.OnPathChanged(path, change);

    public override void OnHandshakeCompleted() => inner.OnHandshakeCompleted();

    public override void OnEarlyDataRejected() => inner.OnEarlyDataRejected();

    public override void OnClosed(TransportException reason) => inner.OnClosed(reason);
}
