using Post.Sockets.Transport;

namespace Post.Sockets.Testing;

/// <summary>
/// The events of one connection: noted under the network's lock, and raised outside of it, one after the other, as work of the clock at the
/// same moment of virtual time.
/// </summary>
internal sealed class EventQueue(InMemoryConnection connection) : IThreadPoolWorkItem
{
    private readonly Queue<PendingEvent> _pending = new();
    private bool _isQueued;

    private enum Kind
    {
        Datagram,
        DatagramState,
        WholeStream,
        StreamAccepted,
        StreamAcknowledged,
        StreamStopped,
        WholeStreamSent,
        WholeStreamAcknowledged,
        WholeStreamStopped,
        PathChanged,
        EarlyDataRejected,
        HandshakeCompleted,
        Closed,
    }

    public void Datagram(Packet packet, in PacketFrame frame, bool isEarly, long arrivedAt)
    {
        packet.Retain();
        Add(new PendingEvent(Kind.Datagram, packet, frame.Start, frame.Length, isEarly, arrivedAt));
    }

    public void WholeStream(InMemoryStream stream, Packet packet, in PacketFrame frame, bool isEarly, long arrivedAt)
    {
        packet.Retain();
        Add(new PendingEvent(Kind.WholeStream, packet, frame.Start, frame.Length, isEarly, arrivedAt, stream));
    }

    public void DatagramState(long token, TransportDatagramState state) => Add(new PendingEvent(Kind.DatagramState, null, token, (long)state));

    public void StreamAccepted(InMemoryStream stream) => Add(new PendingEvent(Kind.StreamAccepted, stream));

    public void StreamAcknowledged(InMemoryStream stream) => Add(new PendingEvent(Kind.StreamAcknowledged, stream));

    public void StreamStopped(InMemoryStream stream, long code) => Add(new PendingEvent(Kind.StreamStopped, stream, code));

    public void WholeStreamSent(long token) => Add(new PendingEvent(Kind.WholeStreamSent, null, token));

    public void WholeStreamAcknowledged(long token) => Add(new PendingEvent(Kind.WholeStreamAcknowledged, null, token));

    public void WholeStreamStopped(long token, long code) => Add(new PendingEvent(Kind.WholeStreamStopped, null, token, code));

    public void PathChanged(PostPath path, PostPathChange change) => Add(new PendingEvent(Kind.PathChanged, path, (long)change));

    public void EarlyDataRejected() => Add(new PendingEvent(Kind.EarlyDataRejected, null));

    public void HandshakeCompleted() => Add(new PendingEvent(Kind.HandshakeCompleted, null));

    public void Closed(TransportException reason) => Add(new PendingEvent(Kind.Closed, reason));

    /// <summary>Somebody listens from now on.</summary>
    public void Begin() => QueueSelf();

    public void Execute()
    {
        var raised = 0;
        while (true)
        {
            PendingEvent next;
            lock (connection.Network.Gate)
            {
                if (!_pending.TryDequeue(out next))
                {
                    _isQueued = false;
                    break;
                }
            }

            Raise(connection.Events!, next);
            raised++;
        }

        if (raised > 0)
        {
            connection.Events!.OnEventsDrained();
        }
    }

    private void Add(in PendingEvent pending)
    {
        _pending.Enqueue(pending);
        QueueSelf();
    }

    private void QueueSelf()
    {
        if (!_isQueued && _pending.Count > 0 && connection.Events is not null)
        {
            _isQueued = true;
            connection.Network.Clock.Enqueue(this);
        }
    }

    private void Raise(TransportEvents events, in PendingEvent pending)
    {
        switch (pending.Kind)
        {
            case Kind.Datagram:
                var packet = (Packet)pending.Subject!;
                events.OnDatagramReceived(
                    packet.Bytes.AsSpan((int)pending.First, (int)pending.Second), pending.IsEarly, pending.ArrivedAt);
                Release(packet);
                break;
            case Kind.WholeStream:
                RaiseWholeStream(events, pending);
                break;
            case Kind.DatagramState:
                events.OnDatagramState(pending.First, (TransportDatagramState)pending.Second);
                break;
            case Kind.StreamAccepted:
                events.OnStreamAccepted((InMemoryStream)pending.Subject!);
                break;
            case Kind.StreamAcknowledged:
                events.OnStreamAcknowledged((InMemoryStream)pending.Subject!);
                break;
            case Kind.StreamStopped:
                events.OnStreamStopped((InMemoryStream)pending.Subject!, pending.First);
                break;
            case Kind.WholeStreamSent:
                events.OnStreamSent(pending.First);
                break;
            case Kind.WholeStreamAcknowledged:
                events.OnSentStreamAcknowledged(pending.First);
                break;
            case Kind.WholeStreamStopped:
                events.OnSentStreamStopped(pending.First, pending.Second);
                break;
            case Kind.PathChanged:
                events.OnPathChanged((PostPath)pending.Subject!, (PostPathChange)pending.First);
                break;
            case Kind.EarlyDataRejected:
                connection.OnRejectionTold();
                events.OnEarlyDataRejected();
                break;
            case Kind.HandshakeCompleted:
                events.OnHandshakeCompleted();
                break;
            default:
                events.OnClosed((TransportException)pending.Subject!);
                break;
        }
    }

    private void RaiseWholeStream(TransportEvents events, in PendingEvent pending)
    {
        var packet = (Packet)pending.Subject!;
        bool isTaken = events.OnStreamReceived(
            pending.Stream!.Id, packet.Bytes.AsSpan((int)pending.First, (int)pending.Second), pending.IsEarly, pending.ArrivedAt);
        Release(packet);
        if (!isTaken)
        {
            events.OnStreamAccepted(pending.Stream);
            return;
        }

        lock (connection.Network.Gate)
        {
            pending.Stream.Receive!.Consume();
        }
    }

    private void Release(Packet packet)
    {
        lock (connection.Network.Gate)
        {
            packet.Release();
        }
    }

    private readonly record struct PendingEvent(
        Kind Kind,
        object? Subject,
        long First = 0,
        long Second = 0,
        bool IsEarly = false,
        long ArrivedAt = 0,
        InMemoryStream? Stream = null);
}
