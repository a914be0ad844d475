using Post.Sockets.Associations.Sending;
using Post.Sockets.Objects;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// Opens the streams that objects travel on. Where a transport opens only with a wait, or the peer permits no more, as many are on their way
/// at a time as objects are ready to go, so that the rate is not one stream a wait. Part of the pump.
/// </summary>
internal sealed class StreamSupply(AssociationCore core, Carrier carrier)
{
    /// <summary>Streams on their way or spare: enough to bridge the wait, few enough that an idle association holds next to nothing.</summary>
    private const int MaxAhead = 32;

    private static readonly TransportPriority Ordinary = new(
        ObjectProperties.DefaultNiceness, TransportPriority.NoDeadline, Incremental: true, Order: 0);

    private readonly List<OutboundObject> _waiting = [];
    private readonly Queue<TransportStream> _spares = [];
    private int _opening;

    /// <summary>No stream can be had now; one is on its way. Under the lock.</summary>
    public bool IsWaiting => _opening > 0 && _spares.Count == 0;

    /// <summary>An object that comes back to the scheduler when there is a stream. Under the lock.</summary>
    public void Wait(OutboundObject item) => _waiting.Add(item);

    /// <summary>Gives back the streams that nobody needed. Under the lock.</summary>
    public void ReleaseSpares()
    {
        while (_spares.TryDequeue(out var spare))
        {
            core.Later(new TransportAction(TransportActionKind.Dispose, spare));
        }
    }

    /// <summary>Gives an object a stream: a spare one, a new one, or, when it can be had, the next.</summary>
    public void Open(OutboundObject item)
    {
        TransportStream? stream;
        lock (core.Gate)
        {
            _spares.TryDequeue(out stream);
        }

        try
        {
            stream ??= carrier.Connection.TryOpenStream(TransportStreamKind.Unidirectional, item.Priority);
        }
        catch (TransportException)
        {
            // The connection ended; its event is on the way.
            lock (core.Gate)
            {
                core.Sender.Restarts.LetGo(item);
            }

            return;
        }

        var missing = 0;
        lock (core.Gate)
        {
            if (!core.Sender.Restarts.LetGo(item))
            {
                if (stream is not null)
                {
                    core.Later(new TransportAction(TransportActionKind.Dispose, stream));
                }

                return;
            }

            if (stream is not null)
            {
                stream.State = item;
                item.Transit.Stream = stream;
                core.Later(new TransportAction(TransportActionKind.SetPriority, stream, Priority: item.Priority));
            }

            core.Scheduler.Add(item.Entry);
            if (stream is null)
            {
                missing = TakeMissing();
            }
        }

        OpenSpares(missing);
    }

    /// <summary>How many more are to be opened, which count as on their way from now on. Under the lock.</summary>
    private int TakeMissing()
    {
        var wanted = Math.Min(core.Scheduler.FreshCount + _waiting.Count, MaxAhead);
        var missing = Math.Max(wanted - _opening - _spares.Count, 0);
        _opening += missing;
        return missing;
    }

    private void OpenSpares(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _ = OpenSpareAsync();
        }
    }

    private async Task OpenSpareAsync()
    {
        // Which object gets the stream is decided when it is there: by then a more urgent one may have come.
        TransportStream? stream = null;
        try
        {
            stream = await carrier.Connection
                .OpenStreamAsync(TransportStreamKind.Unidirectional, Ordinary, carrier.Over)
                .ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection ended; its event is on the way.
        }

        var missing = 0;
        lock (core.Gate)
        {
            _opening--;
            if (stream is not null)
            {
                _spares.Enqueue(stream);
            }

            foreach (var item in _waiting)
            {
                if (!item.IsEnded && core.Carrier == carrier)
                {
                    core.Scheduler.Add(item.Entry);
                }
            }

            _waiting.Clear();
            if (core.IsClosed || core.Carrier != carrier)
            {
                ReleaseSpares();
            }
            else if (stream is not null)
            {
                missing = TakeMissing();
            }
        }

        if (stream is not null)
        {
            core.Wake();
        }

        OpenSpares(missing);
    }
}
