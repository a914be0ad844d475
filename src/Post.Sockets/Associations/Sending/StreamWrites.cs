using System.Buffers;
using Post.Sockets.Associations.Connections;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Objects;
using Post.Sockets.Protocol;
using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>The writes on the streams of objects and of the application: prepared, started, and taken in when they complete. By the owner.</summary>
internal sealed class StreamWrites(AssociationState state, CurrentConnection connection, OutboundFraming framing)
{
    /// <summary>Up to here, payload is copied behind the header so that a small object is one write.</summary>
    public const int CopyLimit = 16 * 1024;

    private const int MaxPooledWrites = 256;

    private readonly Stack<StreamWrite> _pool = new();

    /// <summary>What the transport has not taken yet.</summary>
    public OutstandingWrites Outstanding { get; } = new(state);

    /// <summary>Bytes of one write of a large object or of a stream.</summary>
    public int Chunk { get; set; } = 16 * 1024;

    /// <summary>A write completed; from any thread.</summary>
    public void Completed(StreamWrite write) => state.Owner.Post(new Message(
        static (target, write, _) => ((StreamWrites)target).Finish((StreamWrite)write!), this, write));

    /// <summary>The first bytes of an object, with its header before them.</summary>
    public StreamWrite PrepareFirst(OutboundObject item, ReadOnlySpan<byte> payload, bool isLast, bool fromSource)
    {
        var header = framing.HeaderOf(item);
        var length = header.Length();
        item.Transmission.HeaderLength = length;
        var copied = Math.Min(payload.Length, CopyLimit);
        var rented = ArrayPool<byte>.Shared.Rent(length + copied);
        header.Write(rented);
        payload[..copied].CopyTo(rented.AsSpan(length));
        return Prepare(item, rented.AsMemory(0, length + copied), rented, copied, fromSource ? copied : 0, isLast && copied == payload.Length);
    }

    /// <summary>The header of an object whose receiver says where it begins, and nothing else.</summary>
    public StreamWrite PrepareQuestion(OutboundObject item)
    {
        // Before the answer can come.
        var write = PrepareFirst(item, default, isLast: false, fromSource: false);
        item.Start.Ask();
        return write;
    }

    /// <summary>The next bytes of an object.</summary>
    public StreamWrite Prepare(
        OutboundObject item, ReadOnlyMemory<byte> bytes, byte[]? rented, int payload, int fromSource, bool isEnd)
    {
        item.Use = MemoryUse.Transport;
        item.Transmission.Form = TransmissionForm.Stream;
        item.Transmission.IsVisible = true;
        item.Transmission.IsEarly |= connection.Value is { IsHandshakeCompleted: false };
        state.Outbox.OnTaken(item, payload);
        state.Scheduler.Serve(item.Entry, bytes.Length);
        var write = Rent();
        write.Set(item.Entry, (TransportStream)item.Transmission.Stream!, bytes, rented, payload, fromSource, isEnd);
        Outstanding.Add(write);
        return write;
    }

    /// <summary>The next bytes of an object that lies in memory.</summary>
    public StreamWrite PrepareMemory(OutboundObject item)
    {
        if (item.Transmission.Form != TransmissionForm.Stream)
        {
            // Handed over in another form before, it begins anew.
            item.Transmission.PayloadTaken = item.Start.Offset;
            item.TakeBack();
            var payload = item.Memory.Span[(int)item.Start.Offset..];
            return PrepareFirst(item, payload, payload.Length <= CopyLimit, fromSource: false);
        }

        var taken = (int)item.Transmission.PayloadTaken;
        var length = Math.Min(item.Memory.Length - taken, Chunk);
        return Prepare(item, item.Memory.Slice(taken, length), null, length, 0, taken + length == item.Memory.Length);
    }

    /// <summary>The next bytes of a stream.</summary>
    public StreamWrite PrepareStream(SendEntry entry)
    {
        var sender = (IScheduledStream)entry.Owner;
        var bytes = sender.Take(Chunk, state.Clock.Now, out var isEnd);
        state.Scheduler.Serve(entry, bytes.Length);
        var write = Rent();
        write.Set(entry, sender.Stream, bytes, null, bytes.Length, 0, isEnd);
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
        Outstanding.Remove(write);
        if (write.Entry.Owner is IScheduledStream stream)
        {
            stream.OnWritten(write.Result, write.Error, state.Clock.Now);
        }
        else
        {
            FinishObject((OutboundObject)write.Entry.Owner, write);
        }

        write.Clear();
        if (_pool.Count < MaxPooledWrites)
        {
            _pool.Push(write);
        }
    }

    private void FinishObject(OutboundObject item, StreamWrite write)
    {
        if (write.FromSource > 0)
        {
            AdvanceSource(item, write.FromSource);
        }

        item.Transmission.IsHeaderOut |= write is { Error: null, Result.IsStopped: false };
        if (!state.Outbox.Restarts.LetGo(item))
        {
            return;
        }

        if (write.Error is { Reason: TransportErrorReason.EarlyDataRejected })
        {
            state.Outbox.Restarts.StartAnew(item);
        }
        else if (write.Error is not null)
        {
            // The connection has ended. Its event is on the way and decides: the object fails, or waits for the next one.
        }
        else if (write.Result.IsStopped)
        {
            state.Outbox.Reports.OnStopped(item, (PostErrorCode)write.Result.StopCode);
        }
        else if (item.IsInGrace)
        {
            // Its end is the receiver's to tell, or that of the grace.
        }
        else if (write.IsEnd)
        {
            state.Outbox.OnAllTaken(item);
        }
        else if (item.Start.State != OutboundStart.Step.Asked)
        {
            state.Scheduler.Add(item.Entry);
        }
    }

    private void AdvanceSource(OutboundObject item, int count)
    {
        try
        {
            item.Source!.Advance(count);
        }
        catch (Exception exception)
        {
            SourceFeeder.EndWithSource(state, item, exception);
        }
    }

    private StreamWrite Rent() => _pool.TryPop(out var write) ? write : new StreamWrite(this);
}
