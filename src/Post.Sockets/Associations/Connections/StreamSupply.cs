using Post.Sockets.Associations.Sending;
using Post.Sockets.Objects;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>Opens the streams that objects travel on, and waits for the peer's permission where there is none at once. Part of the pump.</summary>
internal sealed class StreamSupply(AssociationCore core, Carrier carrier)
{
    private readonly List<OutboundObject> _waiting = [];
    private TransportStream? _spare;
    private bool _isOpening;

    /// <summary>No stream can be had now; one is on its way. Under the lock.</summary>
    public bool IsWaiting => _isOpening && _spare is null;

    /// <summary>An object that comes back to the scheduler when there is a stream. Under the lock.</summary>
    public void Wait(OutboundObject item) => _waiting.Add(item);

    /// <summary>Gives back a stream that nobody needed. Under the lock.</summary>
    public void ReleaseSpare()
    {
        if (_spare is { } spare)
        {
            _spare = null;
            core.Later(new TransportAction(TransportActionKind.Dispose, spare));
        }
    }

    /// <summary>Gives an object a stream: the spare one, a new one, or, when it can be had, the next.</summary>
    public void Open(OutboundObject item)
    {
        TransportStream? stream;
        lock (core.Gate)
        {
            stream = _spare;
            _spare = null;
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
            else
            {
                _isOpening = true;
            }

            core.Scheduler.Add(item.Entry);
        }

        if (stream is null)
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
                .OpenStreamAsync(TransportStreamKind.Unidirectional, TransportPriority.Control, carrier.Over)
                .ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TransportException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection ended; its event is on the way.
        }

        lock (core.Gate)
        {
            _isOpening = false;
            _spare = stream;
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
                ReleaseSpare();
            }
        }

        if (stream is not null)
        {
            core.Wake();
        }
    }
}
