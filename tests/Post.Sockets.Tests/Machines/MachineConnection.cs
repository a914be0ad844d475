using Post.Sockets.Tests.Seam;
using Post.Sockets.Transport;

namespace Post.Sockets.Tests.Machines;

/// <summary>A connection of a machine: its events, the streams of the peer and their bytes wait while it stands still.</summary>
internal sealed class MachineConnection(TransportConnection inner, SeamGuard guard, Machine machine) : GuardedConnection(inner, guard)
{
    public override TransportStream? TryOpenStream(TransportStreamKind kind, in TransportPriority priority) =>
        base.TryOpenStream(kind, InWorldTime(priority));

    public override TransportSendResult TrySendStream(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, in TransportPriority priority, long token) =>
        base.TrySendStream(first, second, InWorldTime(priority), token);

    public override async ValueTask<TransportStream> AcceptStreamAsync(CancellationToken cancellationToken)
    {
        var stream = await base.AcceptStreamAsync(cancellationToken).ConfigureAwait(false);
        await machine.WhileStoppedAsync().ConfigureAwait(false);
        return new MachineStream((GuardedStream)stream, machine);
    }

    public override TransportDatagramResult TrySendDatagram(ReadOnlySpan<byte> payload, in TransportPriority priority, long token) =>
        base.TrySendDatagram(payload, InWorldTime(priority), token);

    protected override TransportEvents Before(TransportEvents events) => new MachineEvents(events, machine);

    private TransportPriority InWorldTime(in TransportPriority priority) =>
        priority.Deadline == TransportPriority.NoDeadline ? priority : priority with { Deadline = priority.Deadline + machine.Behind };

    private sealed class MachineEvents(TransportEvents inner, Machine machine) : TransportEvents
    {
        public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt)
        {
            var copy = payload.ToArray();
            machine.Do(() => inner.OnDatagramReceived(
                copy, isEarlyData, machine.KnowsArrival ? arrivedAt - machine.Behind : machine.Time.GetTimestamp()));
        }

        public override void OnDatagramState(long token, TransportDatagramState state) => machine.Do(() => inner.OnDatagramState(token, state));

        public override void OnMaxDatagramSizeChanged(int maxDatagramSize) => machine.Do(() => inner.OnMaxDatagramSizeChanged(maxDatagramSize));

        public override void OnStreamAccepted(TransportStream stream) =>
            machine.Do(() => inner.OnStreamAccepted(new MachineStream((GuardedStream)stream, machine)));

        public override bool OnStreamReceived(long streamId, ReadOnlySpan<byte> bytes, bool isEarlyData, long arrivedAt)
        {
            // One that comes while the machine stands still becomes a stream, which waits until it is read.
            return !machine.IsStopped && inner.OnStreamReceived(streamId, bytes, isEarlyData, machine.KnowsArrival ? arrivedAt - machine.Behind : machine.Time.GetTimestamp());
        }

        public override void OnStreamSent(long token) => machine.Do(() => inner.OnStreamSent(token));

        public override void OnSentStreamAcknowledged(long token) => machine.Do(() => inner.OnSentStreamAcknowledged(token));

        public override void OnSentStreamStopped(long token, long errorCode) => machine.Do(() => inner.OnSentStreamStopped(token, errorCode));

        public override void OnEventsDrained() => machine.Do(inner.OnEventsDrained);

        public override void OnStreamAcknowledged(TransportStream stream) => machine.Do(() => inner.OnStreamAcknowledged(stream));

        public override void OnStreamStopped(TransportStream stream, long errorCode) => machine.Do(() => inner.OnStreamStopped(stream, errorCode));

        public override void OnPathChanged(PostPath path, PostPathChange change) => machine.Do(() => inner.OnPathChanged(path, change));

        public override void OnHandshakeCompleted() => machine.Do(inner.OnHandshakeCompleted);

        public override void OnEarlyDataRejected() => machine.Do(inner.OnEarlyDataRejected);

        public override void OnClosed(TransportException reason) => machine.Do(() => inner.OnClosed(reason));
    }

    private sealed class MachineStream(GuardedStream inner, Machine machine) : GuardedStream(inner)
    {
        public override long? ArrivedAt => machine.KnowsArrival ? base.ArrivedAt - machine.Behind : null;

        public override async ValueTask<TransportReadResult> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var result = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            await machine.WhileStoppedAsync().ConfigureAwait(false);
            return result;
        }
    }
}
