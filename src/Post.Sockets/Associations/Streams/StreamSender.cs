using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Sending;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Streams;

/// <summary>
/// The sending half of a Post stream: one write at a time, cut into chunks that the scheduler serves, within the reservation ahead of
/// objects. Fields belong to the association's lock.
/// </summary>
internal sealed class StreamSender : ITimed
{
    private readonly AssociationCore _core;
    private readonly int _niceness;
    private readonly BandwidthReservation? _reservation;
    private ReadOnlyMemory<byte> _rest;
    private bool _isEnd;
    private bool _isEndSent;
    private TaskCompletionSource? _writing;
    private TaskCompletionSource? _done;
    private PostException? _error;

    public StreamSender(AssociationCore core, Carrier carrier, TransportStream stream, int niceness, BandwidthReservation? reservation)
    {
        _core = core;
        Carrier = carrier;
        _niceness = niceness;
        _reservation = reservation;
        Stream = stream;
        Entry = new SendEntry(this, niceness, TransportPriority.NoDeadline, core.NextStreamOrder());
        core.Scheduler.Join(Entry);
    }

    /// <summary>The connection that it lives and dies with.</summary>
    public Carrier Carrier { get; }

    public TransportStream Stream { get; }

    public SendEntry Entry { get; }

    public long ReservedBitsPerSecond => _reservation?.BitsPerSecond ?? 0;

    int ITimed.TimerIndex { get; set; } = -1;

    /// <summary>Sends bytes, and the end; completes when the transport has taken them.</summary>
    public Task WriteAsync(ReadOnlyMemory<byte> bytes, bool end)
    {
        TaskCompletionSource writing;
        lock (_core.Gate)
        {
            if (_error is not null)
            {
                return Task.FromException(_error);
            }

            if (_isEnd)
            {
                return end && bytes.IsEmpty
                    ? Task.CompletedTask
                    : Task.FromException(new InvalidOperationException("The writing side of this stream was completed."));
            }

            if (_writing is not null)
            {
                return Task.FromException(new InvalidOperationException("One write at a time: the one before is not complete."));
            }

            if (bytes.IsEmpty && !end)
            {
                return Task.CompletedTask;
            }

            writing = _writing = new TaskCompletionSource(_core.Continuations);
            _rest = bytes;
            _isEnd = end;
            Enqueue(_core.Clock.Now);
        }

        _core.Wake();
        return writing.Task;
    }

    /// <summary>Ends the sending half early. Under the lock.</summary>
    public void Abort(PostException error)
    {
        if (_error is not null)
        {
            return;
        }

        _error = error;
        _core.Timers.Cancel(this);
        if (!_isEndSent)
        {
            _core.Scheduler.Leave(Entry);
        }

        _isEndSent = true;
        _done = _writing;
        _writing = null;
    }

    /// <summary>The next chunk. Under the lock.</summary>
    public ReadOnlyMemory<byte> Take(int limit, long now, out bool isEnd)
    {
        var size = Math.Min(limit, _rest.Length);
        if (Entry.Class == SendScheduler.ReservedClass && _reservation is not null)
        {
            size = Math.Min(size, Math.Max(_reservation.Available(now), 1));
        }

        // What is sent beyond the reservation does not use it up: the reservation is a promise, not a cap.
        if (Entry.Class == SendScheduler.ReservedClass)
        {
            _reservation?.Take(size);
        }

        var chunk = _rest[..size];
        _rest = _rest[size..];
        isEnd = _isEnd && _rest.IsEmpty;
        return chunk;
    }

    /// <summary>The transport took a chunk. Under the lock.</summary>
    public void OnWritten(int bytes, in TransportWriteResult result, TransportException? error, long now)
    {
        _ = bytes;
        if (_error is not null)
        {
            return;
        }

        if (error is not null)
        {
            Abort(_core.Continuity.ToStreamException(error));
        }
        else if (result.IsStopped)
        {
            Abort(new PostException(
                PostErrorReason.StreamEnded, $"The peer stopped reading this stream (code 0x{result.StopCode:x})."));
        }
        else if (!_rest.IsEmpty)
        {
            Enqueue(now);
        }
        else
        {
            if (_isEnd)
            {
                _isEndSent = true;
                _core.Scheduler.Leave(Entry);
            }

            _done = _writing;
            _writing = null;
        }
    }

    /// <summary>Completes the application's write. Outside the lock.</summary>
    public void Notify()
    {
        TaskCompletionSource? done;
        PostException? error;
        lock (_core.Gate)
        {
            done = _done;
            _done = null;
            error = _error;
        }

        if (error is not null)
        {
            done?.TrySetException(error);
        }
        else
        {
            done?.TrySetResult();
        }
    }

    /// <summary>The reservation has filled up again.</summary>
    public void OnDue(long now)
    {
        if (Entry.HeapIndex >= 0)
        {
            Enqueue(now);
        }
    }

    private void Enqueue(long now)
    {
        if (_reservation is not null)
        {
            // Small pieces within the reservation keep its jitter small; less than a packet would be wasteful.
            var wanted = Math.Min(Math.Max(_rest.Length, 1), 1200);
            var reserved = _reservation.Available(now) >= wanted;
            var sendClass = reserved ? SendScheduler.ReservedClass : _niceness;
            if (sendClass != Entry.Class)
            {
                _core.Scheduler.Move(Entry, sendClass, TransportPriority.NoDeadline);
                _core.Later(new TransportAction(
                    TransportActionKind.SetPriority,
                    Stream,
                    Priority: new TransportPriority(sendClass, TransportPriority.NoDeadline, true, Entry.Order)));
            }

            if (!reserved)
            {
                _core.Timers.Set(this, Math.Max(now + 1, _reservation.AvailableAt(wanted, now)));
            }
        }

        _core.Scheduler.Add(Entry);
    }
}
