using Post.Quic.Engine;
using Post.Quic.Security;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>
/// Passes on what a connection of the engine pushes; what comes before there is a listener is kept for it. The engine raises one event at a
/// time and holds no lock, and so do we.
/// </summary>
/// <param name="isClient">On the side that connected.</param>
/// <param name="sessions">Where a client keeps what it gets for the next connection; null on a server, and where nothing is kept.</param>
/// <param name="isEarly">The connection is used before its handshake is complete.</param>
internal sealed class ManagedEvents(bool isClient, SessionStore? sessions = null, bool isEarly = false) : QuicConnectionEvents
{
    /// <summary>
    /// What a peer can cause may wait for a listener up to this: an application that takes its time to accept must not hold whatever
    /// is sent meanwhile. What happens once (the handshake, the end) always waits: without it an association would hang.
    /// </summary>
    private const int MaxWaiting = 256;

    private readonly Lock _gate = new();
    private HashSet<long>? _takenForLost;
    private Queue<Action<TransportEvents>>? _waiting;
    private volatile TransportEvents? _events;
    private Dictionary<long, QuicPath>? _active;
    private bool _isHandshakeComplete;

    /// <summary>Begins to pass on, beginning with what has waited.</summary>
    public void Attach(TransportEvents events)
    {
        while (true)
        {
            Queue<Action<TransportEvents>>? waiting;
            lock (_gate)
            {
                // While what has waited is told, what happens next waits behind it.
                waiting = _waiting;
                _waiting = null;
                if (waiting is null)
                {
                    _events = events;
                    return;
                }
            }

            foreach (Action<TransportEvents> push in waiting)
            {
                push(events);
            }

            events.OnEventsDrained();
        }
    }

    public override void OnHandshakeComplete()
    {
        _isHandshakeComplete = true;
        Push(static events => events.OnHandshakeCompleted(), happensOnce: true);
    }

    public override void OnEarlyDataDecided(bool accepted)
    {
        if (isClient && !accepted)
        {
            Push(static events => events.OnEarlyDataRejected(), happensOnce: true);
        }
    }

    public override bool OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt)
    {
        if (_events is { } events)
        {
            events.OnDatagramReceived(payload, isEarlyData, arrivedAt);
        }
        else
        {
            KeepDatagram(payload.ToArray(), isEarlyData, arrivedAt);
        }

        return true;
    }

    public override void OnDatagramState(long token, QuicDatagramState state)
    {
        // Post sends again what is taken for lost, so the suspicion is what counts, and a late arrival is not reported.
        bool wasTakenForLost = state > QuicDatagramState.SuspectedLost && _takenForLost?.Remove(token) == true;
        switch (state)
        {
            case QuicDatagramState.Sent:
                PushState(token, TransportDatagramState.Sent);
                break;
            case QuicDatagramState.Overdue:
                PushState(token, TransportDatagramState.Overdue);
                break;
            case QuicDatagramState.SuspectedLost:
                (_takenForLost ??= []).Add(token);
                PushState(token, TransportDatagramState.Lost);
                break;
            case var _ when wasTakenForLost:
                break;
            case QuicDatagramState.Acknowledged:
                PushState(token, TransportDatagramState.Acknowledged);
                break;
            case QuicDatagramState.Lost:
                PushState(token, TransportDatagramState.Lost);
                break;
            default:
                PushState(token, TransportDatagramState.Canceled);
                break;
        }
    }

    public override void OnMaxDatagramSizeChanged(int size) => Push(events => events.OnMaxDatagramSizeChanged(size));

    // Streams are sent, and pushed, only after there is a listener.
    public override void OnStreamSent(long token) => _events?.OnStreamSent(token);

    public override void OnSentStreamAcknowledged(long token) => _events?.OnSentStreamAcknowledged(token);

    public override void OnSentStreamStopped(long token, long errorCode) => _events?.OnSentStreamStopped(token, errorCode);

    public override bool OnStreamReceived(long streamId, ReadOnlySpan<byte> bytes, bool isEarlyData, long arrivedAt) =>
        _events?.OnStreamReceived(streamId, bytes, isEarlyData, arrivedAt) == true;

    public override void OnStreamAccepted(QuicStream stream) => _events?.OnStreamAccepted(new ManagedStream(stream));

    public override void OnEventsDrained() => _events?.OnEventsDrained();

    public override void OnStreamSendSettled(QuicStream stream, bool wasReset)
    {
        if (!wasReset && stream.State is ManagedStream ours)
        {
            _events?.OnStreamAcknowledged(ours);
        }
    }

    public override void OnStreamStopped(QuicStream stream, long errorCode)
    {
        if (stream.State is ManagedStream ours)
        {
            _events?.OnStreamStopped(ours, errorCode);
        }
    }

    public override void OnPathChanged(QuicPath path, QuicPathChange change)
    {
        PostPathChange translated = Translate(path, change);
        PostPath now = ManagedPaths.Translate(path, change);
        Push(events => events.OnPathChanged(now, translated));
    }

    public override void OnSessionTicket(QuicSessionTicket ticket) => sessions?.Keep(ticket);

    public override void OnClosed(QuicException reason)
    {
        if (isEarly && !_isHandshakeComplete)
        {
            // Early data goes where the server was last: the next attempt shall try all addresses.
            sessions?.Forget();
        }

        TransportException translated = ManagedQuicErrors.Translate(reason);
        Push(events => events.OnClosed(translated), happensOnce: true);
    }

    // The peer's address tells who moved: where only ours is new, we did.
    private PostPathChange Translate(QuicPath path, QuicPathChange change)
    {
        if (change != QuicPathChange.Active)
        {
            return change switch
            {
                QuicPathChange.Added => PostPathChange.Added,
                QuicPathChange.Validated => PostPathChange.Validated,
                QuicPathChange.Failed => PostPathChange.Failed,
                QuicPathChange.Removed => PostPathChange.Removed,
                QuicPathChange.MtuChanged => PostPathChange.MtuChanged,
                QuicPathChange.EcnChanged => PostPathChange.EcnChanged,
                _ => PostPathChange.StateChanged,
            };
        }

        _active ??= [];
        QuicPath? before = _active.GetValueOrDefault(path.PathId);
        _active[path.PathId] = path;
        if (before is null)
        {
            // The path of the handshake is active without a word, so a later one is a move.
            return path.Id == 0 ? PostPathChange.StateChanged : isClient ? PostPathChange.Migrated : PostPathChange.PeerMoved;
        }

        return before.RemoteEndPoint.Equals(path.RemoteEndPoint) ? PostPathChange.Migrated : PostPathChange.PeerMoved;
    }

    private void PushState(long token, TransportDatagramState state)
    {
        if (_events is { } events)
        {
            events.OnDatagramState(token, state);
        }
        else
        {
            PushStateLater(token, state);
        }
    }

    // Apart from the common case, which then makes no closure.
    private void PushStateLater(long token, TransportDatagramState state) => Push(events => events.OnDatagramState(token, state));

    private void KeepDatagram(byte[] payload, bool isEarlyData, long arrivedAt) =>
        Push(events => events.OnDatagramReceived(payload, isEarlyData, arrivedAt));

    private void Push(Action<TransportEvents> push, bool happensOnce = false)
    {
        TransportEvents? events;
        lock (_gate)
        {
            events = _events;
            if (events is null && (happensOnce || (_waiting?.Count ?? 0) < MaxWaiting))
            {
                (_waiting ??= new Queue<Action<TransportEvents>>()).Enqueue(push);
            }
        }

        if (events is not null)
        {
            push(events);
        }
    }
}
