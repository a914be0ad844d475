using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Objects;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>
/// Opens the streams that objects travel on. Where a transport opens only with a wait, or the peer permits no more, as many are on their way
/// at a time as objects are ready to go, so that the rate is not one stream a wait. By the owner.
/// </summary>
internal sealed class StreamSupply(AssociationState state, CurrentConnection current)
{
    /// <summary>Streams on their way or spare: enough to bridge the wait, few enough that an idle association holds next to nothing.</summary>
    private const int MaxAhead = 32;

    private static readonly TransportPriority Ordinary = new(
        ObjectProperties.DefaultNiceness, TransportPriority.NoDeadline, Incremental: true, Order: 0);

    private readonly List<OutboundObject> _waiting = [];
    private readonly Queue<TransportStream> _spares = [];
    private PostConnection? _connection;
    private int _opening;

    /// <summary>No stream can be had now; one is on its way.</summary>
    public bool IsWaiting => _opening > 0 && _spares.Count == 0;

    /// <summary>An object that comes back to the scheduler when there is a stream.</summary>
    public void Wait(OutboundObject item) => _waiting.Add(item);

    /// <summary>
    /// The peer permits no more streams: has one opened with a wait, which tells when it does again. False where one is at hand.
    /// </summary>
    public bool TryBeTold(PostConnection connection)
    {
        if (_spares.Count > 0)
        {
            return false;
        }

        _connection = connection;
        if (_opening == 0)
        {
            OpenSpares(connection, 1);
        }

        return true;
    }

    /// <summary>The connection is over: gives back the streams that nobody needed, and forgets those that were to come.</summary>
    public void ReleaseSpares()
    {
        while (_spares.TryDequeue(out var spare))
        {
            state.Effects.ReleaseStream(spare);
        }

        _connection = null;
        _opening = 0;
        _waiting.Clear();
    }

    /// <summary>Gives an object a stream: a spare one, a new one, or, when it can be had, the next.</summary>
    public void Open(PostConnection connection, OutboundObject item)
    {
        _connection = connection;
        var priority = SendPriorities.OfStream(item);
        if (_spares.TryDequeue(out var stream))
        {
            stream.SetPriority(priority);
        }
        else
        {
            try
            {
                stream = connection.Transport.TryOpenStream(TransportStreamKind.Unidirectional, priority);
            }
            catch (TransportException)
            {
                // The connection ended; its event is on the way.
                state.Scheduler.Remove(item.Entry);
                return;
            }
        }

        if (stream is not null)
        {
            stream.State = item;
            item.Transmission.Stream = stream;
        }
        else
        {
            OpenSpares(connection, state.Scheduler.FreshCount + _waiting.Count);
        }
    }

    /// <summary>Has as many more opened as are needed, which count as on their way from now on.</summary>
    private void OpenSpares(PostConnection connection, int wanted)
    {
        var missing = Math.Max(Math.Clamp(wanted, 1, MaxAhead) - _opening - _spares.Count, 0);
        _opening += missing;
        if (missing > 0)
        {
            using (ExecutionContext.SuppressFlow())
            {
                for (; missing > 0; missing--)
                {
                    _ = OpenSpareAsync(connection);
                }
            }
        }
    }

    private async Task OpenSpareAsync(PostConnection connection)
    {
        // Which object gets the stream is decided when it is there: by then a more urgent one may have come.
        TransportStream? stream = null;
        try
        {
            stream = await connection.Transport
                .OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, connection.Over)
                .ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection ended; its event is on the way.
        }

        state.Owner.Post(new Message(
            static (target, opened, _) => ((StreamSupply)target).OnOpened((Opened)opened!), this, new Opened(connection, stream)));
    }

    private void OnOpened(Opened opened)
    {
        if (_connection != opened.Connection || state.IsClosed || current.Value != opened.Connection)
        {
            if (opened.Stream is { } late)
            {
                state.Effects.ReleaseStream(late);
            }

            return;
        }

        _opening--;
        foreach (var item in _waiting)
        {
            if (!item.IsEnded)
            {
                state.Scheduler.Add(item.Entry);
            }
        }

        _waiting.Clear();
        if (opened.Stream is { } stream)
        {
            _spares.Enqueue(stream);
            opened.Connection.Capacity.IsFullOfStreams = false;
            if (state.Scheduler.FreshCount > 0 && !opened.Connection.Can(TransportCapabilities.WholeStreams))
            {
                OpenSpares(opened.Connection, state.Scheduler.FreshCount);
            }
        }
    }

    private sealed record Opened(PostConnection Connection, TransportStream? Stream);
}
