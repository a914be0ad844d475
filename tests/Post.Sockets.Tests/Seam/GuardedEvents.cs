using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Seam;

/// <summary>Hands the events of a guarded connection on, with the streams that its user knows, and looks at how they come.</summary>
internal sealed class GuardedEvents(TransportEvents inner, SeamGuard guard) : TransportEvents
{
    private int _underWay;

    public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt)
    {
        Begin(nameof(OnDatagramReceived));
        inner.OnDatagramReceived(payload, isEarlyData, arrivedAt);
        End();
    }

    public override bool OnStreamReceived(long streamId, ReadOnlySpan<byte> bytes, bool isEarlyData, long arrivedAt)
    {
        Begin(nameof(OnStreamReceived));
        var isTaken = inner.OnStreamReceived(streamId, bytes, isEarlyData, arrivedAt);
        End();
        return isTaken;
    }

    public override void OnDatagramState(long token, TransportDatagramState state) =>
        Raise(nameof(OnDatagramState), () => inner.OnDatagramState(token, state));

    public override void OnMaxDatagramSizeChanged(int maxDatagramSize) =>
        Raise(nameof(OnMaxDatagramSizeChanged), () => inner.OnMaxDatagramSizeChanged(maxDatagramSize));

    public override void OnStreamAccepted(TransportStream stream) =>
        Raise(nameof(OnStreamAccepted), () => inner.OnStreamAccepted(GuardedStream.Of(stream, guard)));

    public override void OnStreamSent(long token) => Raise(nameof(OnStreamSent), () => inner.OnStreamSent(token));

    public override void OnSentStreamAcknowledged(long token) =>
        Raise(nameof(OnSentStreamAcknowledged), () => inner.OnSentStreamAcknowledged(token));

    public override void OnSentStreamStopped(long token, long errorCode) =>
        Raise(nameof(OnSentStreamStopped), () => inner.OnSentStreamStopped(token, errorCode));

    public override void OnEventsDrained() => Raise(nameof(OnEventsDrained), inner.OnEventsDrained);

    public override void OnStreamAcknowledged(TransportStream stream) =>
        Raise(nameof(OnStreamAcknowledged), () => inner.OnStreamAcknowledged(GuardedStream.Of(stream, guard)));

    public override void OnStreamStopped(TransportStream stream, long errorCode) =>
        Raise(nameof(OnStreamStopped), () => inner.OnStreamStopped(GuardedStream.Of(stream, guard), errorCode));

    public override void OnPathChanged(PostPath path, PostPathChange change) =>
        Raise(nameof(OnPathChanged), () => inner.OnPathChanged(path, change));

    public override void OnHandshakeCompleted() => Raise(nameof(OnHandshakeCompleted), inner.OnHandshakeCompleted);

    public override void OnEarlyDataRejected() => Raise(nameof(OnEarlyDataRejected), inner.OnEarlyDataRejected);

    public override void OnClosed(TransportException reason) => Raise(nameof(OnClosed), () => inner.OnClosed(reason));

    private void Raise(string member, Action raise)
    {
        Begin(member);
        raise();
        End();
    }

    private void Begin(string member) => guard.BeginEvent(member, ref _underWay);

    private void End() => SeamGuard.EndEvent(ref _underWay);
}
