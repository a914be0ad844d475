using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.SystemNetQuic;

/// <summary>
/// Raises the events of a connection one at a time and with no lock held, as the seam asks: System.Net.Quic and msquic tell of them on any thread.
/// A thread that finds no other raising events raises its own there and then; what comes meanwhile, from another thread or from inside an event,
/// follows on that thread.
/// </summary>
internal sealed class EventSequence(TransportEvents listener) : TransportEvents
{
    /// <summary>
    /// Datagrams that wait while another event is raised. The peer decides how many it sends, so what goes beyond is dropped, as a network may
    /// do.
    /// </summary>
    private const int MaxWaitingDatagrams = 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Event> _waiting = new();
    private int _waitingDatagrams;
    private bool _isRaising;
    private bool _isClosed;

    private enum Kind
    {
        DatagramReceived,
        DatagramState,
        MaxDatagramSize,
        StreamAccepted,
        StreamAcknowledged,
        StreamStopped,
        PathChanged,
        HandshakeCompleted,
        Closed,
    }

    public override void OnDatagramReceived(ReadOnlySpan<byte> payload, bool isEarlyData, long arrivedAt)
    {
        if (TryBegin())
        {
            RaiseAll(payload, isEarlyData, arrivedAt);
            return;
        }

        AddDatagram(payload.ToArray(), isEarlyData, arrivedAt);
        Flush();
    }

    public override void OnDatagramState(long token, TransportDatagramState state)
    {
        AddDatagramState(token, state);
        Flush();
    }

    public override void OnMaxDatagramSizeChanged(int maxDatagramSize)
    {
        AddMaxDatagramSize(maxDatagramSize);
        Flush();
    }

    public override void OnStreamAccepted(TransportStream stream) => AddAndFlush(new Event(Kind.StreamAccepted, stream, 0, 0));

    public override void OnStreamAcknowledged(TransportStream stream) => AddAndFlush(new Event(Kind.StreamAcknowledged, stream, 0, 0));

    public override void OnStreamStopped(TransportStream stream, long errorCode) =>
        AddAndFlush(new Event(Kind.StreamStopped, stream, errorCode, 0));

    public override void OnPathChanged(PostPath path, PostPathChange change) => AddAndFlush(new Event(Kind.PathChanged, path, 0, (int)change));

    public override void OnHandshakeCompleted() => AddAndFlush(new Event(Kind.HandshakeCompleted, null, 0, 0));

    public override void OnClosed(TransportException reason) => AddAndFlush(new Event(Kind.Closed, reason, 0, 0));

    /// <summary>Adds an event without raising it, as may be done under a lock; <see cref="Flush"/> follows.</summary>
    public void AddDatagram(byte[] payload, bool isEarlyData, long arrivedAt)
    {
        lock (_gate)
        {
            if (_waitingDatagrams < MaxWaitingDatagrams)
            {
                _waitingDatagrams++;
                _waiting.Enqueue(new Event(Kind.DatagramReceived, payload, arrivedAt, isEarlyData ? 1 : 0));
            }
        }
    }

    /// <inheritdoc cref="AddDatagram"/>
    public void AddDatagramState(long token, TransportDatagramState state) => Add(new Event(Kind.DatagramState, null, token, (int)state));

    /// <inheritdoc cref="AddDatagram"/>
    public void AddMaxDatagramSize(int maxDatagramSize) => Add(new Event(Kind.MaxDatagramSize, null, maxDatagramSize, 0));

    /// <summary>Raises what waits, unless another thread does. Never under a lock.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_isRaising || _waiting.Count == 0)
            {
                return;
            }

            _isRaising = true;
        }

        RaiseAll([], false, 0, hasDatagram: false);
    }

    private void AddAndFlush(in Event next)
    {
        Add(next);
        Flush();
    }

    private void Add(in Event next)
    {
        lock (_gate)
        {
            _waiting.Enqueue(next);
        }
    }

    private bool TryBegin()
    {
        lock (_gate)
        {
            return !_isRaising && _waiting.Count == 0 && (_isRaising = true);
        }
    }

    private void RaiseAll(ReadOnlySpan<byte> datagram, bool isEarlyData, long arrivedAt, bool hasDatagram = true)
    {
        try
        {
            if (hasDatagram && !_isClosed)
            {
                listener.OnDatagramReceived(datagram, isEarlyData, arrivedAt);
            }

            do
            {
                while (TryTake(out Event next))
                {
                    Raise(next);
                }

                if (!_isClosed)
                {
                    listener.OnEventsDrained();
                }
            }
            while (!TryEnd());
        }
        catch
        {
            // A listener does not throw. One that does must not silence the connection.
            lock (_gate)
            {
                _isRaising = false;
            }

            throw;
        }
    }

    private bool TryTake(out Event next)
    {
        lock (_gate)
        {
            if (!_waiting.TryDequeue(out next))
            {
                return false;
            }

            _waitingDatagrams -= next.Kind == Kind.DatagramReceived ? 1 : 0;
            return true;
        }
    }

    private bool TryEnd()
    {
        lock (_gate)
        {
            return _waiting.Count == 0 && !(_isRaising = false);
        }
    }

    private void Raise(in Event next)
    {
        if (_isClosed)
        {
            // OnClosed was the last event, so the listener would not dispose a stream that came at the same time.
            if (next is { Kind: Kind.StreamAccepted, Subject: TransportStream late })
            {
                _ = late.DisposeAsync().AsTask();
            }

            return;
        }

        switch (next.Kind)
        {
            case Kind.DatagramReceived:
                listener.OnDatagramReceived((byte[])next.Subject!, next.Value != 0, next.Number);
                break;
            case Kind.DatagramState:
                listener.OnDatagramState(next.Number, (TransportDatagramState)next.Value);
                break;
            case Kind.MaxDatagramSize:
                listener.OnMaxDatagramSizeChanged((int)next.Number);
                break;
            case Kind.StreamAccepted:
                listener.OnStreamAccepted((TransportStream)next.Subject!);
                break;
            case Kind.StreamAcknowledged:
                listener.OnStreamAcknowledged((TransportStream)next.Subject!);
                break;
            case Kind.StreamStopped:
                listener.OnStreamStopped((TransportStream)next.Subject!, next.Number);
                break;
            case Kind.PathChanged:
                listener.OnPathChanged((PostPath)next.Subject!, (PostPathChange)next.Value);
                break;
            case Kind.HandshakeCompleted:
                listener.OnHandshakeCompleted();
                break;
            case Kind.Closed:
                _isClosed = true;
                listener.OnClosed((TransportException)next.Subject!);
                break;
        }
    }

    /// <param name="Kind">Which event.</param>
    /// <param name="Subject">The stream, path, payload or exception that it is about.</param>
    /// <param name="Number">A token, code, size or time.</param>
    /// <param name="Value">A state or flag.</param>
    private readonly record struct Event(Kind Kind, object? Subject, long Number, int Value);
}
