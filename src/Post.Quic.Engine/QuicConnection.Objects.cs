using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Endpoint;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine;

/// <content>Whole streams: sent in one call, received in one event.</content>
public sealed partial class QuicConnection
{
    /// <summary>The longest stream that <see cref="TrySendStream"/> takes, in bytes; the peer's limit for one stream can be lower.</summary>
    public static int MaxSentStreamSize => Limits.WholeStreamBytes;

    /// <summary>
    /// Opens the next unidirectional stream, writes both parts and ends it, in one call and without a wait. To the peer it is a stream like
    /// any other. On a connection on which little is on its way the bytes are with the socket when the call returns.
    /// </summary>
    /// <param name="first">The first bytes, copied before the call returns.</param>
    /// <param name="second">The bytes after those, copied as well.</param>
    /// <param name="priority">Its rank.</param>
    /// <param name="token">
    /// A number that stands for the stream in <see cref="QuicConnectionEvents.OnStreamSent"/>,
    /// <see cref="QuicConnectionEvents.OnSentStreamAcknowledged"/>, <see cref="QuicConnectionEvents.OnSentStreamStopped"/> and
    /// <see cref="ResetSentStream"/>. The first of these events can come before the call returns.
    /// </param>
    /// <param name="binding">By which paths it goes, and on how many at a time; by any of them, once, where nothing is said.</param>
    /// <returns>Whether it was taken, and if not, why.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A negative class, or a number of copies that is out of its range.</exception>
    /// <exception cref="ArgumentException">A stream with the same token is not acknowledged yet.</exception>
    public QuicStreamSendResult TrySendStream(
        ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, QuicPriority priority, long token, QuicPathBinding binding = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(priority.Class, nameof(priority));
        binding.Validate(nameof(binding));
        WholeStreamResult result;
        bool isQuiet;
        lock (Driver.Gate)
        {
            if (_closeInfo is not null)
            {
                return QuicStreamSendResult.Unavailable;
            }

            result = Driver.Core.Streams.TrySendWhole(
                first, second, Urgency(priority), token, binding.IsDefault ? null : binding.Set, binding.CopiesOrOne);
            isQuiet = result == WholeStreamResult.Queued && Driver.IsQuiet;
        }

        if (result is WholeStreamResult.Queued or WholeStreamResult.NoStreams)
        {
            // STREAMS_BLOCKED tells the peer that more would be sent.
            Driver.WakeToSend(isQuiet);
        }

        return (QuicStreamSendResult)result;
    }

    /// <summary>Resets a stream that <see cref="TrySendStream"/> sent. No effect where it is acknowledged or unknown.</summary>
    /// <param name="token">Its number.</param>
    /// <param name="errorCode">What the peer is told; 0 to 2^62-1.</param>
    /// <param name="reliableSize">The first bytes that still reach the peer, where it understands RESET_STREAM_AT; nothing of it elsewhere.</param>
    public void ResetSentStream(long token, long errorCode, long reliableSize = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(errorCode);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(errorCode, QuicConnectionOptions.MaxErrorCode);
        ArgumentOutOfRangeException.ThrowIfNegative(reliableSize);
        lock (Driver.Gate)
        {
            if (_closeInfo is not null || !Driver.Core.Streams.ResetWhole(token, (ulong)errorCode, (ulong)reliableSize))
            {
                return;
            }
        }

        Driver.Wake();
    }

    /// <summary>
    /// From now on the streams that the peer opens are pushed to the listener, those that wait to be accepted first: whole ones as
    /// <see cref="QuicConnectionEvents.OnStreamReceived"/>, the others as <see cref="QuicConnectionEvents.OnStreamAccepted"/>. It cannot be
    /// undone.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The connection has no listener (<see cref="QuicConnectionOptions.Events"/>), or a call of <see cref="AcceptInboundStreamAsync"/> waits.
    /// </exception>
    public void PushInboundStreams()
    {
        lock (Driver.Gate)
        {
            if (_closeInfo is not null || _isPushing)
            {
                return;
            }

            DropCanceled(_acceptWaiters);
            if (Events is null)
            {
                throw new InvalidOperationException(
                    $"Streams are pushed to a listener, and the connection has none; set {nameof(QuicConnectionOptions)}.{nameof(QuicConnectionOptions.Events)}.");
            }

            if (_acceptWaiters.Count != 0)
            {
                throw new InvalidOperationException(
                    $"A call of {nameof(AcceptInboundStreamAsync)} waits for a stream; streams are either accepted or pushed.");
            }

            _isPushing = true;
            while (_unclaimed.TryDequeue(out QuicStream? unclaimed))
            {
                NoteAccepted(unclaimed);
            }

            Driver.Core.Streams.BeginPushing();
        }

        Driver.Wake();
    }

    void IStreamEvents.OnWholeStreamSent(long token) =>
        _events.Note(new ConnectionEvent(ConnectionEventKind.WholeStreamSent, Number: token));

    void IStreamEvents.OnWholeStreamAcknowledged(long token) =>
        _events.Note(new ConnectionEvent(ConnectionEventKind.WholeStreamAcknowledged, Number: token));

    void IStreamEvents.OnWholeStreamStopped(long token, ulong errorCode) =>
        _events.Note(new ConnectionEvent(ConnectionEventKind.WholeStreamStopped, Number: token, Value: (long)errorCode));

    void IStreamEvents.OnWholeStreamReceived(ulong id, ReadOnlySpan<byte> data, bool isEarlyData, long arrivedAt) => _events.Note(
        new ConnectionEvent(ConnectionEventKind.WholeStreamReceived, Number: (long)id, Value: arrivedAt, Flag: isEarlyData), data);

    void IStreamEvents.OnStreamArrived(StreamState stream)
    {
        QuicStream arrived = Attach(stream, isLocal: false);
        arrived.OnAccepted();
        NoteAccepted(arrived);
    }

    /// <summary>The listener took whole streams: the peer gets credit for them.</summary>
    internal void CreditStreams(long bytes, int streams)
    {
        lock (Driver.Gate)
        {
            if (_closeInfo is null)
            {
                Driver.Core.Streams.CreditWhole(bytes, streams, Driver.Now);
            }
        }
    }

    /// <summary>The listener did not take a whole stream.</summary>
    internal void KeepStream(in ConnectionEvent item, ReadOnlySpan<byte> bytes)
    {
        lock (Driver.Gate)
        {
            if (_closeInfo is null)
            {
                Driver.Core.Streams.KeepWhole((ulong)item.Number, bytes, item.Flag, item.Value);
            }
        }
    }

    private void NoteAccepted(QuicStream stream) =>
        _events.Note(new ConnectionEvent(ConnectionEventKind.StreamAccepted, Subject: stream));

    /// <summary>Under the gate: the events to raise next.</summary>
    private EventBatch? TakeEvents(bool beforeSending)
    {
        // What a stream that is handed over frees is told to the peer by what is sent next.
        if (beforeSending && _isPushing && _closeInfo is null && Driver.Core.Streams.HasArrived)
        {
            Driver.Core.Streams.PushArrived(Driver.Now);
        }

        return _events.Take();
    }

    private void ThrowIfPushing()
    {
        if (_isPushing)
        {
            throw new InvalidOperationException(
                $"The streams of this connection are pushed to its listener, since {nameof(PushInboundStreams)} was called.");
        }
    }
}
