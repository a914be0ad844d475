using System.Buffers;
using System.IO.Pipelines;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Benchmarks.Engines;

/// <summary>An end of an association, used as an application would.</summary>
internal sealed class PostPeer : ObjectPeer
{
    private readonly Association _association;
    private readonly IDisposable _expired;
    private long _undelivered;

    public PostPeer(Association association)
    {
        _association = association;
        _expired = association.Register<Expired>(_ => Interlocked.Increment(ref _undelivered));
    }

    public override Task Ended => _association.Completion;

    public override Exception? Error => _association.Error;

    public override bool HasDatagrams => _association.Capabilities.HasFlag(TransportCapabilities.Datagrams);

    public override bool IsResumed => _association.IsResumed;

    public override ValueTask SendAsync(
        ReadOnlyMemory<byte> bytes, ObjectProperties properties, CancellationToken cancellationToken)
    {
        ValueTask<SentObject> sending = _association.SendWithoutCopyAsync(bytes, properties, cancellationToken);
        if (!sending.IsCompletedSuccessfully)
        {
            return WaitAsync(sending);
        }

        _ = sending.Result;
        return ValueTask.CompletedTask;

        static async ValueTask WaitAsync(ValueTask<SentObject> sending) => await sending;
    }

    public override Task SendAsync(Stream source, ObjectProperties properties, CancellationToken cancellationToken) =>
        _association.Send(source, properties).WaitForAsync(SentObjectState.Sent, cancellationToken);

    public override void Receive(ObjectHandler handler) => _association.Register<Received>(received =>
    {
        ReceivedObject item = received.Object;
        if (item.IsIncremental)
        {
            // Others come while this one is being read.
            _ = ReadAsync(item.Keep(), handler);
            return;
        }

        ReadOnlySequence<byte> payload = item.Payload;
        if (payload.IsSingleSegment)
        {
            handler(item.Id, payload.FirstSpan, isLast: true);
        }
        else
        {
            handler(item.Id, payload.ToArray(), isLast: true);
        }
    });

    public override async Task<long> SettleAsync(CancellationToken cancellationToken)
    {
        while (_association.PendingObjects > 0 && !_association.Completion.IsCompleted)
        {
            await Task.Delay(1, cancellationToken);
        }

        // The last events may still be on their way from the object's end to the handler; those that count expiries come first.
        await Task.Delay(1, cancellationToken);
        return Interlocked.Read(ref _undelivered) + (_association.Error is null ? 0 : 1);
    }

    public override async ValueTask DisposeAsync()
    {
        _expired.Dispose();
        if (_association.PendingObjects > 0)
        {
            // A case that was broken off: nobody waits for what it left behind.
            _association.Abort();
        }

        await _association.DisposeAsync();
    }

    private static async Task ReadAsync(ReceivedObject item, ObjectHandler handler)
    {
        using (item)
        {
            try
            {
                PipeReader reader = item.Reader;
                while (true)
                {
                    ReadResult result = await reader.ReadAsync();
                    ReadOnlySequence<byte> buffer = result.Buffer;
                    foreach (ReadOnlyMemory<byte> segment in buffer)
                    {
                        handler(item.Id, segment.Span, isLast: false);
                    }

                    reader.AdvanceTo(buffer.End);
                    if (result.IsCompleted)
                    {
                        break;
                    }
                }

                handler(item.Id, default, isLast: true);
                await reader.CompleteAsync();
            }
            catch (PostException)
            {
                // It broke off: its sender hears of it, and whoever waits for its end sees the association's.
            }
        }
    }
}
