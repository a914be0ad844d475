using System.Buffers;
using Post.Sockets.Associations.Streams;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>
/// The writes on the streams of objects and of the application: prepared under the lock, started outside of it, and taken in when they
/// complete. Part of the pump, and serial like it.
/// </summary>
internal sealed class StreamWrites(AssociationCore core, OutboundFraming framing, Restarts restarts)
{
    /// <summary>Up to here, payload is copied behind the header so that a small object is one write.</summary>
    public const int CopyLimit = 16 * 1024;

    private const int MaxPooledWrites = 256;

    private readonly Stack<StreamWrite> _pool = new();
    private StreamWrite? _completed;

    /// <summary>What the transport has not taken yet.</summary>
    public OutstandingWrites Outstanding { get; } = new(core);

    /// <summary>Bytes of one write of a large object or of a stream; under the lock.</summary>
    public int Chunk { get; set; } = 16 * 1024;

    /// <summary>A write completed; from any thread.</summary>
    public void Completed(StreamWrite write)
    {
        lock (core.Gate)
        {
            write.Next = _completed;
            _completed = write;
        }

        core.Wake();
    }

    /// <summary>Takes in what has completed meanwhile.</summary>
    public void FinishCompleted()
    {
        StreamWrite? write;
        lock (core.Gate)
        {
            write = _completed;
            _completed = null;
        }

        while (write is not null)
        {
            var next = write.Next;
            Finish(write);
            write = next;
        }
    }

    /// <summary>The first bytes of an object, with its header before them. Under the lock.</summary>
    public StreamWrite PrepareFirst(OutboundObject item, ReadOnlySpan<byte> payload, bool isLast, bool fromSource)
    {
        var header = framing.HeaderOf(item);
        var length = header.Length();
        item.Transit.HeaderLength = length;
        var copied = Math.Min(payload.Length, CopyLimit);
        var rented = ArrayPool<byte>.Shared.Rent(length + copied);
        header.Write(rented);
        payload[..copied].CopyTo(rented.AsSpan(length));
        return Prepare(item, rented.AsMemory(0, length + copied), rented, copied, fromSource ? copied : 0, isLast && copied == payload.Length);
    }

    /// <summary>The header of an object whose receiver says where it begins, and nothing else. Under the lock.</summary>
    public StreamWrite PrepareQuestion(OutboundObject item)
    {
        // Before the answer can come.
        var write = PrepareFirst(item, default, isLast: false, fromSource: false);
        item.Start.Ask();
        return write;
    }

    /// <summary>The next bytes of an object. Under the lock.</summary>
    public StreamWrite Prepare(
        OutboundObject item, ReadOnlyMemory<byte> bytes, byte[]? rented, int payload, int fromSource, bool isEnd)
    {
        item.Transit.IsVisible = true;
        item.Transit.IsEarly |= core.Carrier is { IsHandshakeCompleted: false };
        core.Outbox.OnTaken(item, payload);
        core.Scheduler.Serve(item.Entry, bytes.Length);
        var write = Rent();
        write.Set(item.Entry, item.Transit.Stream!, bytes, rented, payload, fromSource, isEnd);
        Outstanding.Add(write);
        return write;
    }

    /// <summary>The next bytes of an object that lies in memory. Under the lock.</summary>
    public StreamWrite PrepareMemory(OutboundObject item)
    {
        if (!item.Transit.IsVisible)
        {
            var payload = item.Memory.Span[(int)item.Transit.PayloadTaken..];
            return PrepareFirst(item, payload, payload.Length <= CopyLimit, fromSource: false);
        }

        var taken = (int)item.Transit.PayloadTaken;
        var length = Math.Min(item.Memory.Length - taken, Chunk);
        return Prepare(item, item.Memory.Slice(taken, length), null, length, 0, taken + length == item.Memory.Length);
    }

    /// <summary>The next bytes of a stream. Under the lock.</summary>
    public StreamWrite PrepareStream(StreamSender sender)
    {
        var bytes = sender.Take(Chunk, core.Clock.Now, out var isEnd);
        core.Scheduler.Serve(sender.Entry, bytes.Length);
        var write = Rent();
        write.Set(sender.Entry, sender.Stream, bytes, null, bytes.Length, 0, isEnd);
        Outstanding.Add(write);
        return write;
    }

    public void Start(StreamWrite write)
    {
        if (write.Start())
        {
            Finish(write);
        }
    }

    private void Finish(StreamWrite write)
    {
        Exception? failure = null;
        if (write.FromSource > 0 && write.Entry.Owner is OutboundObject { Source: { } source })
        {
            try
            {
                source.Advance(write.FromSource);
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        }

        StreamSender? sender;
        lock (core.Gate)
        {
            Outstanding.Remove(write);
            sender = write.Entry.Owner as StreamSender;
            if (sender is null)
            {
                var item = (OutboundObject)write.Entry.Owner;
                if (failure is not null)
                {
                    SourceFeeder.EndWithSource(core, item, failure);
                }

                FinishObject(item, write);
            }
            else
            {
                sender.OnWritten(write.Bytes.Length, write.Result, write.Error, core.Clock.Now);
            }

            write.Clear();
            if (_pool.Count < MaxPooledWrites)
            {
                _pool.Push(write);
            }
        }

        sender?.Notify();
    }

    private void FinishObject(OutboundObject item, StreamWrite write)
    {
        item.Transit.IsHeaderOut |= write is { Error: null, Result.IsStopped: false };
        if (!restarts.LetGo(item))
        {
            return;
        }

        if (write.Error is { Reason: TransportErrorReason.EarlyDataRejected })
        {
            restarts.StartAnew(item);
        }
        else if (write.Error is not null)
        {
            // The connection has ended. Its event is on the way and decides: the object fails, or waits for the next one.
        }
        else if (write.Result.IsStopped)
        {
            core.Reports.OnStopped(item, (PostErrorCode)write.Result.StopCode);
        }
        else if (write.IsEnd)
        {
            core.Outbox.OnAllTaken(item);
        }
        else if (item.Start.State != OutboundStart.Step.Asked)
        {
            core.Scheduler.Add(item.Entry);
        }
    }

    private StreamWrite Rent() => _pool.TryPop(out var write) ? write : new StreamWrite(this);
}
