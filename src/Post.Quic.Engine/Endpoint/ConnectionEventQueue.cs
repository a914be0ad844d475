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

    /// <summary>Notes an event with bytes; false where nobody listens, or too much waits for the listener.</summary>
    public bool TryNote(in ConnectionEvent item, ReadOnlySpan<byte> bytes)
    {
        if (connection.Events is null || _noted?.HasRoomFor(bytes.Length) == false)
        {
            return false;
        }

        Noted.Add(item, bytes);
        return true;
    }

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
        foreach (ref readonly ConnectionEvent item in batch.Events)
        {
            try
            {
                Raise(listener, item, batch.BytesOf(item));
            }
            catch (Exception error)
            {
                connection.OnFault(error);
            }
        }

        EventBatch.Return(batch);
        try
        {
            listener.OnEventsDrained();
        }
        catch (Exception error)
        {
            connection.OnFault(error);
        }
    }

    private void Raise(QuicConnectionEvents listener, in ConnectionEvent item, ReadOnlySpan<byte> bytes)
    {
        switch (item.Kind)
        {
            case ConnectionEventKind.WholeStreamReceived:
                listener.OnStreamReceived(item.Number, bytes, item.Flag, item.Value);
                break;
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
