using System.Buffers;
using Post.Quic.Engine;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>Whole streams of the managed engine.</summary>
internal sealed class ManagedWholeStreams(QuicConnection client, QuicConnection server, ManagedWholeStreams.Sender sender, ManagedWholeStreams.Receiver receiver)
    : WholeStreamPair
{
    private long _token;

    public override void Receive(Handler handler)
    {
        receiver.Handler = handler;
        server.PushInboundStreams();
    }

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        long token = Interlocked.Increment(ref _token);
        while (true)
        {
            // Asked for before the attempt, so that room that comes in between is not missed.
            Task room = sender.Room;
            switch (client.TrySendStream(bytes.Span, default, default, token))
            {
                case QuicStreamSendResult.Queued:
                    return;
                case QuicStreamSendResult.Full:
                    await room.WaitAsync(cancellationToken);
                    break;
                case QuicStreamSendResult.NoStreams:
                    await using (QuicStream stream = await client.OpenOutboundStreamAsync(QuicStreamType.Unidirectional, cancellationToken))
                    {
                        await stream.WriteAsync(bytes, completeWrites: true, cancellationToken);
                    }

                    return;
                case var failed:
                    throw new InvalidOperationException($"The stream was not sent: {failed}.");
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        await server.DisposeAsync();
    }

    /// <summary>Tells when there may be room again: with whatever became of streams that were sent.</summary>
    public sealed class Sender : QuicConnectionEvents
    {
        private TaskCompletionSource? _room;
        private bool _changed;

        public Task Room => (Volatile.Read(ref _room) ?? Create()).Task;

        public override void OnStreamSent(long token) => _changed = true;

        public override void OnSentStreamAcknowledged(long token) => _changed = true;

        public override void OnEventsDrained()
        {
            if (_changed)
            {
                _changed = false;
                Interlocked.Exchange(ref _room, null)?.TrySetResult();
            }
        }

        private TaskCompletionSource Create()
        {
            var created = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return Interlocked.CompareExchange(ref _room, created, null) ?? created;
        }
    }

    /// <summary>Gives whole streams to whoever takes them.</summary>
    public sealed class Receiver : QuicConnectionEvents
    {
        public Handler? Handler { get; set; }

        public override bool OnStreamReceived(long streamId, ReadOnlySpan<byte> bytes, bool isEarlyData, long arrivedAt)
        {
            Handler!(bytes);
            return true;
        }

        public override void OnStreamAccepted(QuicStream stream) => _ = ReadAsync(stream);

        private async Task ReadAsync(QuicStream stream)
        {
            byte[] bytes = ArrayPool<byte>.Shared.Rent(2 * QuicConnection.MaxSentStreamSize);
            int count = await stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false);
            await stream.DisposeAsync();
            Handler!(bytes.AsSpan(0, count));
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
