using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Lifecycle;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Associations.Sending;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Streams;

/// <summary>
/// A Post stream on its connection: its sending half writes one piece at a time, cut into chunks that the scheduler serves, within the
/// reservation ahead of objects. Its fields belong to the owner of the association.
/// </summary>
internal sealed class StreamSender : ITimed, IScheduledStream, IConnectionStream
{
    private readonly AssociationState _state;
    private readonly AssociationResumption _resumption;
    private readonly PostConnection _connection;
    private readonly int _niceness;
    private readonly BandwidthReservation? _reservation;
    private readonly SendEntry _entry;
    private ReadOnlyMemory<byte> _rest;
    private bool _isEnd;
    private bool _isEndSent;
    private TaskCompletionSource? _writing;
    private PostException? _error;

    public StreamSender(
        PostConnection connection,
        AssociationResumption resumption,
        TransportStream stream,
        int niceness,
        BandwidthReservation? reservation,
        long order)
    {
        _state = connection.State;
        _resumption = resumption;
        _connection = connection;
        _niceness = niceness;
        _reservation = reservation;
        Stream = stream;
        _entry = new SendEntry(this, niceness, Clock.Never, order);
        _state.Scheduler.Join(_entry);
        connection.AddStream(this);
    }

    public TransportStream Stream { get; }

    public long ReservedBitsPerSecond => _reservation?.BitsPerSecond ?? 0;

    int ITimed.TimerIndex { get; set; } = -1;

    /// <summary>Sends bytes, and the end; completes when the transport has taken them. From any thread.</summary>
    public Task WriteAsync(ReadOnlyMemory<byte> bytes, bool end)
    {
        var write = new Write(bytes, end, new TaskCompletionSource(_state.Continuations));
        _state.Owner.Post(new Message(static (target, write, _) => ((StreamSender)target).Begin((Write)write!), this, write));
        return write.Completion.Task;
    }

    /// <summary>Breaks both directions off. From any thread.</summary>
    public void Abort() => _state.Owner.Post(new Message(
        static (target, _, _) =>
        {
            var sender = (StreamSender)target;
            sender.End(new PostException(PostErrorReason.StreamEnded, "The stream was aborted on this side."));
            TransportCalls.Reset(sender.Stream, (long)PostErrorCode.StreamCanceled);
            TransportCalls.StopReading(sender.Stream, (long)PostErrorCode.StreamCanceled);
        },
        this));

    /// <summary>The application is through with the stream. From any thread.</summary>
    public void Release(bool isReadEnded) => _state.Owner.Post(new Message(
        static (target, _, isReadEnded) =>
        {
            var sender = (StreamSender)target;
            sender._connection.RemoveStream(sender);
            if (isReadEnded == 0)
            {
                TransportCalls.StopReading(sender.Stream, (long)PostErrorCode.StreamCanceled);
            }

            TransportCalls.Release(sender.Stream);
        },
        this,
        Number: isReadEnded ? 1 : 0));

    /// <summary>What the application gets when the connection has ended.</summary>
    public PostException ToException(TransportException exception) => _resumption.ToStreamException(exception);

    /// <summary>Ends the sending half early.</summary>
    public void End(PostException error)
    {
        if (_error is not null)
        {
            return;
        }

        _error = error;
        _state.Timers.Cancel(this);
        if (!_isEndSent)
        {
            _state.Scheduler.Leave(_entry);
        }

        _isEndSent = true;
        if (_writing is { } writing)
        {
            // What the application does about it is not done inside whoever ended the stream.
            _writing = null;
            _state.Queue(() => writing.TrySetException(error));
        }
    }

    public ReadOnlyMemory<byte> Take(int limit, long now, out bool isEnd)
    {
        var size = Math.Min(limit, _rest.Length);
        if (_entry.Class == SendScheduler.ReservedClass && _reservation is not null)
        {
            // What is sent beyond the reservation does not use it up: the reservation is a promise, not a cap.
            size = Math.Min(size, Math.Max(_reservation.Available(now), 1));
            _reservation.Take(size);
        }

        var chunk = _rest[..size];
        _rest = _rest[size..];
        isEnd = _isEnd && _rest.IsEmpty;
        return chunk;
    }

    public void OnWritten(in TransportWriteResult result, TransportException? error, long now)
    {
        if (_error is not null)
        {
            return;
        }

        if (error is not null)
        {
            End(ToException(error));
        }
        else if (result.IsStopped)
        {
            End(new PostException(PostErrorReason.StreamEnded, $"The peer stopped reading this stream (code 0x{result.StopCode:x})."));
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
                _state.Scheduler.Leave(_entry);
            }

            var writing = _writing;
            _writing = null;
            writing?.TrySetResult();
        }
    }

    /// <summary>The reservation has filled up again.</summary>
    public void OnDue(long now)
    {
        if (_entry.HeapIndex >= 0)
        {
            Enqueue(now);
        }
    }

    private void Begin(Write write)
    {
        if (_error is not null)
        {
            write.Completion.TrySetException(_error);
        }
        else if (_isEnd && !(write.IsEnd && write.Bytes.IsEmpty))
        {
            write.Completion.TrySetException(new InvalidOperationException("The writing side of this stream was completed."));
        }
        else if (_isEnd || (write.Bytes.IsEmpty && !write.IsEnd))
        {
            write.Completion.TrySetResult();
        }
        else if (_writing is not null)
        {
            write.Completion.TrySetException(new InvalidOperationException("One write at a time: the one before is not complete."));
        }
        else
        {
            _writing = write.Completion;
            _rest = write.Bytes;
            _isEnd = write.IsEnd;
            Enqueue(_state.Clock.Now);
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
            if (sendClass != _entry.Class)
            {
                _state.Scheduler.Move(_entry, sendClass, Clock.Never);
                TransportCalls.SetPriority(Stream, new TransportPriority(sendClass, TransportPriority.NoDeadline, true, _entry.Order));
            }

            if (!reserved)
            {
                _state.Timers.Set(this, Math.Max(now + 1, _reservation.AvailableAt(wanted, now)));
            }
        }

        _state.Scheduler.Add(_entry);
    }

    private sealed record Write(ReadOnlyMemory<byte> Bytes, bool IsEnd, TaskCompletionSource Completion);
}
