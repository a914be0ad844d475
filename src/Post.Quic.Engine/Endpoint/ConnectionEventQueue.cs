namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// What a connection's listener is to hear of. It is noted under the connection's gate, in the middle of the work, and raised without the
/// gate, by the one thread that runs the connection's driver: so the listener is called one event at a time and may call back.
/// </summary>
internal sealed class ConnectionEventQueue(QuicConnection connection)
{
    private EventBatch? _noted;

    /// <summary>Under the gate: something waits to be raised.</summary>
    public bool HasEvents => _noted is not null;

    private EventBatch Noted => _noted ??= EventBatch.Rent();

    /// <summary>Notes an event, where somebody listens.</summary>
    public void Note(in ConnectionEvent item)
    {
        if (connection.Events is not null)
        {
            Noted.Add(item);
        }
    }

    /// <summary>Notes an event with bytes, where somebody listens.</summary>
    public void Note(in ConnectionEvent item, ReadOnlySpan<byte> bytes)
    {
        if (connection.Events is not null)
        {
            Noted.Add(item, bytes);
        }
    }

    /// <summary>Less waits for the listener than may wait without flow control.</summary>
    public bool HasRoomFor(int length) => _noted?.HasRoomFor(length) != false;

    /// <summary>Under the gate: takes what was noted, to be raised.</summary>
    public EventBatch? Take()
    {
        EventBatch? batch = _noted;
        _noted = null;
        return batch;
    }

    /// <summary>Raises events; not under the gate. What a listener throws ends its connection, and the other events are raised all the same.</summary>
    public void Raise(EventBatch batch)
    {
        QuicConnectionEvents listener = connection.Events!;
        long taken = 0;
        int streams = 0;
        foreach (ref readonly ConnectionEvent item in batch.Events)
        {
            ReadOnlySpan<byte> bytes = EventBatch.BytesOf(item);
            try
            {
                if (item.Kind != ConnectionEventKind.WholeStreamReceived)
                {
                    Raise(listener, item, bytes);
                }
                else if (listener.OnStreamReceived(item.Number, bytes, item.Flag, connection.Driver.Clock.ToTimestamp(item.Value)))
                {
                    taken += bytes.Length;
                    streams++;
                }
                else
                {
                    connection.KeepStream(item, bytes);
                }
            }
            catch (Exception error)
            {
                connection.OnFault(error);
            }
        }

        EventBatch.Return(batch);
        if (streams > 0)
        {
            connection.CreditStreams(taken, streams);
        }

        try
        {
            listener.OnEventsDrained();
        }
        catch (Exception error)
        {
            connection.OnFault(error);
        }
    }

    /// <summary>All but whole streams, whose answer is counted.</summary>
    private void Raise(QuicConnectionEvents listener, in ConnectionEvent item, ReadOnlySpan<byte> bytes)
    {
        switch (item.Kind)
        {
            case ConnectionEventKind.WholeStreamSent:
                listener.OnStreamSent(item.Number);
                break;
            case ConnectionEventKind.WholeStreamAcknowledged:
                listener.OnSentStreamAcknowledged(item.Number);
                break;
            case ConnectionEventKind.WholeStreamStopped:
                listener.OnSentStreamStopped(item.Number, item.Value);
                break;
            case ConnectionEventKind.StreamAccepted:
                listener.OnStreamAccepted((QuicStream)item.Subject!);
                break;
            case ConnectionEventKind.StreamSendSettled:
                listener.OnStreamSendSettled((QuicStream)item.Subject!, item.Flag);
                break;
            case ConnectionEventKind.StreamStopped:
                listener.OnStreamStopped((QuicStream)item.Subject!, item.Value);
                break;
            case ConnectionEventKind.DatagramReceived:
                if (!listener.OnDatagramReceived(bytes, item.Flag, item.Value))
                {
                    connection.KeepDatagram(bytes);
                }

                break;
            case ConnectionEventKind.DatagramState:
                listener.OnDatagramState(item.Number, (QuicDatagramState)item.Value);
                break;
            case ConnectionEventKind.MaxDatagramSizeChanged:
                listener.OnMaxDatagramSizeChanged((int)item.Number);
                break;
            case ConnectionEventKind.PathChanged:
                listener.OnPathChanged((QuicPath)item.Subject!, (QuicPathChange)item.Value);
                break;
            case ConnectionEventKind.HandshakeComplete:
                listener.OnHandshakeComplete();
                break;
            case ConnectionEventKind.EarlyDataDecided:
                listener.OnEarlyDataDecided(item.Flag);
                break;
            case ConnectionEventKind.SessionTicket:
                listener.OnSessionTicket((QuicSessionTicket)item.Subject!);
                break;
            case ConnectionEventKind.Closed:
                listener.OnClosed((QuicException)item.Subject!);
                break;
        }
    }
}
