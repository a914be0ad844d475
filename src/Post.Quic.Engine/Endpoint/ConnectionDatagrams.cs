using System.Buffers;
using Post.Quic.Engine.Datagrams;
using Post.Quic.Engine.Streams;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// The datagrams of one connection as its application sees them: copies that wait to be sent, and those that wait to be
/// taken. Everything here runs under the connection's gate, except waiting.
/// </summary>
internal sealed class ConnectionDatagrams(QuicConnection connection, ConnectionEventQueue events)
{
    private const int MaxWaiting = 1024;
    private const int MaxWaitingBytes = 1 << 20;

    private readonly Dictionary<ulong, (long Token, byte[]? Copy)> _sent = [];
    private readonly Queue<byte[]> _received = new();
    private readonly Queue<TaskCompletionSource<ReadOnlyMemory<byte>>> _waiters = new();
    private int _receivedBytes;

    public QuicDatagramResult TrySend(ReadOnlySpan<byte> payload, SendUrgency urgency, bool isRepair, long token, QuicPathBinding binding)
    {
        byte[] copy = ArrayPool<byte>.Shared.Rent(Math.Max(1, payload.Length));
        payload.CopyTo(copy);
        DatagramEnqueueResult result = connection.Driver.Core.Datagrams.TryEnqueue(
            copy.AsMemory(0, payload.Length),
            urgency.Class,
            urgency.Deadline,
            out ulong number,
            binding.IsDefault ? null : binding.Set,
            binding.CopiesOrOne,
            isRepair);
        if (result == DatagramEnqueueResult.Queued)
        {
            _sent.Add(number, (token, copy));
            return QuicDatagramResult.Queued;
        }

        ArrayPool<byte>.Shared.Return(copy);
        return result switch
        {
            DatagramEnqueueResult.TooLarge => QuicDatagramResult.TooLarge,
            DatagramEnqueueResult.QueueFull => QuicDatagramResult.QueueFull,
            _ => QuicDatagramResult.Unavailable,
        };
    }

    public void OnState(ulong number, DatagramState state)
    {
        if (!_sent.TryGetValue(number, out (long Token, byte[]? Copy) datagram))
        {
            return;
        }

        // Whatever its first state is, the engine is done with the memory.
        if (datagram.Copy is { } copy)
        {
            ArrayPool<byte>.Shared.Return(copy);
        }

        if (state >= DatagramState.Acknowledged)
        {
            _sent.Remove(number);
        }
        else
        {
            _sent[number] = (datagram.Token, null);
        }

        NoteState(datagram.Token, Translate(state));
    }

    public void OnReceived(ReadOnlySpan<byte> data, bool isEarlyData, long arrivedAt)
    {
        if (connection.Events is null)
        {
            Keep(data);
        }
        else if (events.HasRoomFor(data.Length))
        {
            events.Note(
                new ConnectionEvent(
                    ConnectionEventKind.DatagramReceived, Value: connection.Driver.Clock.ToTimestamp(arrivedAt), Flag: isEarlyData),
                data);
        }
    }

    /// <summary>A datagram that no listener took: for <see cref="ReceiveAsync"/>.</summary>
    public void Keep(ReadOnlySpan<byte> data)
    {
        byte[] copy = data.ToArray();
        while (_waiters.TryDequeue(out TaskCompletionSource<ReadOnlyMemory<byte>>? waiter))
        {
            if (waiter.TrySetResult(copy))
            {
                return;
            }
        }

        _received.Enqueue(copy);
        _receivedBytes += copy.Length;

        // The oldest go first: a datagram is worth most when it is fresh.
        while (_received.Count > MaxWaiting || _receivedBytes > MaxWaitingBytes)
        {
            _receivedBytes -= _received.Dequeue().Length;
        }
    }

    public void OnClosed(QuicException reason)
    {
        while (_waiters.TryDequeue(out TaskCompletionSource<ReadOnlyMemory<byte>>? waiter))
        {
            waiter.TrySetException(reason);
        }

        // What was sent and never heard of has its fate now: nobody will hear of it any more.
        foreach ((ulong _, (long token, byte[]? copy)) in _sent)
        {
            if (copy is not null)
            {
                ArrayPool<byte>.Shared.Return(copy);
            }

            NoteState(token, copy is null ? QuicDatagramState.Lost : QuicDatagramState.Canceled);
        }

        _sent.Clear();
    }

    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TaskCompletionSource<ReadOnlyMemory<byte>> waiter;
        lock (connection.Driver.Gate)
        {
            if (_received.TryDequeue(out byte[]? waiting))
            {
                _receivedBytes -= waiting.Length;
                return waiting;
            }

            if (connection.ClosedException is { } ended)
            {
                throw ended;
            }

            while (_waiters.TryPeek(out TaskCompletionSource<ReadOnlyMemory<byte>>? first) && first.Task.IsCompleted)
            {
                _waiters.Dequeue();
            }

            waiter = new TaskCompletionSource<ReadOnlyMemory<byte>>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Enqueue(waiter);
        }

        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource<ReadOnlyMemory<byte>>)state!).TrySetCanceled(token), waiter);
        return await waiter.Task.ConfigureAwait(false);
    }

    private void NoteState(long token, QuicDatagramState state) =>
        events.Note(new ConnectionEvent(ConnectionEventKind.DatagramState, Number: token, Value: (long)state));

    private static QuicDatagramState Translate(DatagramState state) => state switch
    {
        DatagramState.Sent => QuicDatagramState.Sent,
        DatagramState.Overdue => QuicDatagramState.Overdue,
        DatagramState.SuspectedLost => QuicDatagramState.SuspectedLost,
        DatagramState.Acknowledged => QuicDatagramState.Acknowledged,
        DatagramState.Lost => QuicDatagramState.Lost,
        DatagramState.Expired => QuicDatagramState.Expired,
        DatagramState.TooLarge => QuicDatagramState.TooLarge,
        _ => QuicDatagramState.Canceled,
    };
}
